"""An engine whose steps a test lets through, at a server in this process."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2

from tests.support.releases import hub_release
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Engine, Footage, OnStep
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.serving.keys import Keys
from wan_pipelines.serving.server import serve_until
from wan_pipelines.serving.service import Limits, VideoService

RELEASE = hub_release()
PATIENCE_SECONDS = 10.0
ANYBODY = Keys({})
DEFAULTS = Limits()


@dataclass
class Gate:
    """Renders of `held` prompts wait after their first step until `opened` is set."""

    held: set[str] = field(default_factory=set)
    faults: dict[str, Exception] = field(default_factory=dict)
    opened: Event = field(default_factory=Event)
    begun: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def open_engine(self) -> Engine:
        return _GatedEngine(self)


class _GatedEngine(NullEngine):
    def __init__(self, gate: Gate) -> None:
        super().__init__(RELEASE)
        self._gate = gate

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, *rest: Any, **more: Any
    ) -> Footage:
        gate = self._gate
        gate.begun.append(request.prompt)
        if request.prompt in gate.faults:
            raise gate.faults[request.prompt]

        def each(step: int, steps: int) -> None:
            if on_step:
                on_step(step, steps)
            gate.steps.append(step)
            while step >= 1 and request.prompt in gate.held and not gate.opened.wait(0.01):
                if on_step:
                    on_step(step, steps)

        return super().render(request, each, *rest, **more)


@dataclass(frozen=True)
class Served:
    """A server that runs, and a client of it."""

    url: str
    http: httpx2.Client
    gate: Gate
    service: VideoService

    def create(self, prompt: str = "a red ball", **fields: Any) -> dict[str, Any]:
        answer = self.http.post("/v1/videos", json={"prompt": prompt, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, video_id: str) -> dict[str, Any]:
        return self.http.get(f"/v1/videos/{video_id}").json()

    def until(self, video_id: str, *wanted: str) -> dict[str, Any]:
        """The job once its status is one of `wanted`."""
        return eventually(lambda: (job := self.get(video_id))["status"] in wanted and job)


def eventually(look: Callable[[], Any]) -> Any:
    """What `look` returns as soon as it is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it does not come to pass"
        time.sleep(0.01)
    return found


@contextmanager
def served(
    folder: Path, gate: Gate | None = None, keys: Keys = ANYBODY, limits: Limits = DEFAULTS
) -> Iterator[Served]:
    """A server in a thread; when the block ends it is told to stop, as by SIGTERM."""
    gate = gate or Gate()
    stop = Event()
    with VideoService.opened(RELEASE, gate.open_engine, folder, limits) as service:
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = Thread(target=serve_until, args=(stop, service, keys, listening))
        thread.start()
        try:
            with httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as http:
                yield Served(url, http, gate, service)
        finally:
            stop.set()
            thread.join()
