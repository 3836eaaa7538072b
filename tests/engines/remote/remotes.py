"""A remote engine whose server can be looked into."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from tests.serving.gate import RELEASE, Served
from tests.support.fault_proxy import Fault, FaultProxy
from tests.support.releases import hub_release, request_for
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.remote.engine import RemoteEngine, open_remote_engine
from wan_pipelines.engines.remote.servers import RemoteServer
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.served import ServerKind

VIDEOS = "/v1/videos"
prompts = (f"a ball, number {number}" for number in count())


def remote_release(kind: ServerKind, **source: object) -> Release:
    """What a server of `RELEASE` serves, as a release of its own."""
    served = {"server": "farm", "kind": kind, "model": "sample", "version": RELEASE.identity[:16]}
    return hub_release(name="remote", source={**served, **source})


@dataclass(frozen=True)
class Remote:
    server: Served
    proxy: FaultProxy
    release: Release

    def of_kind(self, kind: ServerKind) -> "Remote":
        return Remote(self.server, self.proxy, remote_release(kind))

    def engine(self, scope: str = "", **settings: Any) -> RemoteEngine:
        quick = {"poll_seconds": 0.02, "answer_seconds": 5, "outage_seconds": 5, **settings}
        return open_remote_engine(self.release, RemoteServer(self.proxy.url, **quick), scope)

    def request(self, prompt: str | None = None, **changes: object) -> RenderRequest:
        """A request that no test has made before, unless it names a prompt."""
        return request_for(self.release, prompt or next(prompts), **changes)

    def spoil(
        self, method: str, path: str, answer: Callable[..., Any], times: int = 1, **how: Any
    ) -> None:
        self.proxy.faults.append(Fault(method, path, answer, times, **how))

    def jobs(self) -> list[str]:
        """The ids of all that the server knows."""
        page = self.server.http.get(VIDEOS, params={"limit": 100}).json()
        return [job["id"] for job in page["data"]]

    def expected(self, request: RenderRequest) -> np.ndarray:
        """What the server's engine draws for it."""
        own = RELEASE.sampling(RELEASE.default_tier)  # what no field says is the server's
        asked = request.sampling
        sampling = replace(
            own,
            steps=asked.steps,
            guidance=asked.guidance,
            guidance_2=asked.guidance_2,
            flow_shift=asked.flow_shift,
        )
        local = replace(
            request,
            release=RELEASE.name,
            release_identity=RELEASE.identity,
            sampling=sampling,
        )
        return NullEngine(RELEASE).render(local).frames


def check(remote: Remote, request: RenderRequest, footage: Footage) -> None:
    """Every pixel is the server's, which rendered it once."""
    assert np.array_equal(footage.frames, remote.expected(request))
    assert remote.server.gate.begun.count(request.prompt) == 1
