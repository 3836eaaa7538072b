"""The engine kind `remote`: a shot is a job on a server, its frames a download."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING, Any

from wan_pipelines.engines.fingerprint import Fingerprint
from wan_pipelines.engines.protocol import Footage, OnStep, StageSeconds, check_request
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.remote.calls import Caller, Refused, open_caller
from wan_pipelines.engines.remote.footage import NotTheVideo, read_frames
from wan_pipelines.engines.remote.jobs import VIDEOS, Jobs
from wan_pipelines.engines.remote.servers import DIALECTS, RemoteServer
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.errors import EngineError, RenderError

if TYPE_CHECKING:
    import numpy as np

    from wan_pipelines.engines.protocol import Keeper

DOWNLOADS = 4
NOT_READY = (400, 404)
"""What servers answer to a download that they are not ready for."""
ENDED_BADLY = frozenset({"failed", "cancelled", "canceled", "deleted", "expired", "error"})
LOOK_SECONDS = 0.2


def open_remote_engine(release: Release, server: RemoteServer, scope: str = "") -> "RemoteEngine":
    """Asks the server for the release's model; EngineError when it is another, or does not answer.

    Jobs of equal requests in one `scope`, a tenant's say, are one job on a server that allows it.
    """
    started = perf_counter()
    source = release.source
    assert isinstance(source, ServedWeights)
    caller = open_caller(server, sleep)
    with caller.http:
        _check_model(source, caller)
    return RemoteEngine(release, source, server, scope, perf_counter() - started)


class RemoteEngine:
    """A server; see `wan_pipelines.engines.protocol.Engine`.

    Of the stages only two can be told apart: until the job's end (all of it counts as denoising,
    the queue included), and the download (as decoding).
    """

    def __init__(
        self,
        release: Release,
        source: ServedWeights,
        server: RemoteServer,
        scope: str,
        load_seconds: float,
    ) -> None:
        self.release = release
        self.load_seconds = load_seconds
        self.name = source.engine_name
        self.fingerprint: Fingerprint = source.fingerprint()
        self._source = source
        self._server = server
        self._scope = scope

    def render(
        self,
        request: RenderRequest,
        on_step: OnStep | None = None,
        keeper: "Keeper | None" = None,
    ) -> Footage:
        """See `Engine.render`. What `on_step` raises deletes the job; `keeper` is not needed: the
        server keeps how far it is.
        """
        del keeper
        check_request(self.release, request)
        steps = _Steps(request.sampling.steps, on_step or (lambda _step, _steps: None))
        started = perf_counter()
        caller = open_caller(self._server, steps.pause)
        with caller.http, TemporaryDirectory(prefix="wan-remote-") as folder:
            render = _Render(self._source, request, caller, steps, Path(folder))
            frames = render.frames(self._key(request))
        rendered = steps.rendered_at or started
        stages = StageSeconds(
            text=0.0,
            denoise_high=rendered - started,
            denoise_low=0.0,
            decode=perf_counter() - rendered,
        )
        return Footage(frames, stages, request.sampling.steps, peak_memory_bytes=0)

    def _key(self, request: RenderRequest) -> str:
        return hashlib.sha256(f"{self._scope}\n{request.key}".encode()).hexdigest()


@dataclass
class _Steps:
    """What the server says of its progress, as steps; also called while there is no news."""

    steps: int
    report: Callable[[int, int], None]
    done: int = 0
    rendered_at: float = field(default=0.0)

    def progress(self, percent: object) -> None:
        if isinstance(percent, int | float) and 0 <= percent <= 100:
            # The last step is done when the job is complete, whatever is said of its progress.
            self.done = max(self.done, min(self.steps - 1, int(percent * self.steps / 100)))
        self.report(self.done, self.steps)

    def complete(self) -> None:
        self.done = self.steps
        self.rendered_at = perf_counter()
        self.report(self.done, self.steps)

    def pause(self, seconds: float) -> None:
        """Sleeps, and asks now and then whether to go on."""
        until = monotonic() + seconds
        while True:
            self.report(self.done, self.steps)
            left = until - monotonic()
            if left <= 0:
                return
            sleep(min(left, LOOK_SECONDS))


@dataclass(frozen=True, slots=True)
class _Render:
    """One request on its way through a server."""

    source: ServedWeights
    request: RenderRequest
    caller: Caller
    steps: _Steps
    folder: Path

    def frames(self, key: str) -> "np.ndarray":
        jobs = Jobs(self.caller, DIALECTS[self.source.kind])
        job_id = jobs.create(self._fields(), key)
        try:
            self._follow(jobs, job_id)
            frames = self._fetch(jobs, job_id)
        except BaseException:
            jobs.delete(job_id)
            raise
        if not jobs.dialect.idempotent:  # nobody could find it again
            jobs.delete(job_id)
        return frames

    def _fields(self) -> dict[str, Any]:
        request, sampling = self.request, self.request.sampling
        fields: dict[str, Any] = {
            "model": self.source.model,
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt,
            "size": f"{request.width}x{request.height}",
            "num_frames": request.frames,
            "seed": request.seed,
            "num_inference_steps": sampling.steps,
            "guidance_scale": sampling.guidance,
            "guidance_scale_2": sampling.guidance_2,
            "flow_shift": sampling.flow_shift,
            **self.source.parameters,
        }
        if self._is_lossless:
            fields["lossless"] = True
        return fields

    def _follow(self, jobs: Jobs, job_id: str) -> None:
        """Until the server says that the video is complete."""
        server = self.caller.server
        deadline = monotonic() + server.render_seconds
        while True:
            job = jobs.get(job_id)
            status = str(job.get("status"))
            if status == "completed":
                self.steps.complete()
                return
            if status in ENDED_BADLY:
                raise RenderError(
                    f"The server {server.address} could not render it: {_reason(job)}",
                    stage="remote",
                )
            if monotonic() > deadline:
                raise RenderError(
                    f"The server {server.address} was not done after {server.render_seconds:g} s "
                    f"({status}). Give it longer (`render_seconds`), or less to do.",
                    stage="remote",
                )
            self.steps.progress(job.get("progress"))
            self.caller.pause(server.poll_seconds)

    def _fetch(self, jobs: Jobs, job_id: str) -> "np.ndarray":
        """Downloads until the file is what was asked for, a few times at most."""
        problem = ""
        for _ in range(DOWNLOADS):
            try:
                self.caller.insist(lambda: self._download(job_id))
                frames = self._read()
            except NotTheVideo as error:
                problem = str(error)
            except Refused as error:
                if error.status not in NOT_READY:
                    raise
                problem = str(error)  # it said that it was complete
            else:
                return frames
            self.caller.pause(self.caller.server.poll_seconds)
            self._follow(jobs, job_id)
        raise RenderError(
            f"What the server {self.caller.server.address} hands out for {job_id} is not the video "
            f"that was asked for, after {DOWNLOADS} attempts: {problem}.",
            stage="remote",
        )

    @property
    def _is_lossless(self) -> bool:
        return DIALECTS[self.source.kind].lossless

    @property
    def _file(self) -> Path:
        return self.folder / "download"

    def _download(self, job_id: str) -> None:
        params = {"variant": "lossless"} if self._is_lossless else {}
        self.caller.download(f"{VIDEOS}/{job_id}/content", params, self._file)

    def _read(self) -> "np.ndarray":
        container = "matroska" if self._is_lossless else "mp4"
        return read_frames(self._file, self.request, container=container)


def _reason(job: dict[str, Any]) -> str:
    error = job.get("error")
    if isinstance(error, dict):
        return str(error.get("message") or error)
    return str(error or job.get("status"))


def _check_model(source: ServedWeights, caller: Caller) -> None:
    server = caller.server
    try:
        page = caller.patiently("GET", "/v1/models")
    except Refused as error:
        if error.status in (404, 405) and source.kind != "wan":
            return  # a server that does not list its models
        raise EngineError(f"The server {server.address} does not let us in: {error}") from error
    except RenderError as error:
        raise EngineError(str(error)) from error
    cards = [card for card in page.get("data", []) if isinstance(card, dict)]
    card = next((card for card in cards if card.get("id") == source.model), None)
    if card is None:
        offered = ", ".join(str(card.get("id")) for card in cards) or "none"
        raise EngineError(
            f"The server {server.address} has no model {source.model!r}; it has: {offered}."
        )
    identity = str(card.get("identity", ""))
    if source.kind == "wan" and not identity.startswith(source.version):
        raise EngineError(
            f"The server {server.address} renders {source.model} with the identity {identity}; the "
            f"release pins {source.version}. Pin it as it is, or serve what is pinned."
        )
