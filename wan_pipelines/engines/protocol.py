"""What an engine is, and what it hands back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from wan_pipelines.engines.fingerprint import Fingerprint
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.segments.seams import Seam
from wan_pipelines.errors import RenderError

if TYPE_CHECKING:
    import numpy as np

OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class StageSeconds:
    """Wall seconds of the stages of one render."""

    text: float
    denoise_high: float
    denoise_low: float
    decode: float

    @property
    def total(self) -> float:
        return self.text + self.denoise_high + self.denoise_low + self.decode


@dataclass(frozen=True, slots=True)
class Compilation:
    """Which code drew a video: that of `artifacts` (sha256 hex), or of diffusers where it is empty.

    `missed` says why no artifact was used where the tier would have liked one.
    """

    artifacts: tuple[str, ...] = ()
    missed: str = ""

    def told(self, engine: str) -> str:
        """The name of an engine together with its code: no two that draw differently share one."""
        return "+".join((engine, *(digest[:12] for digest in self.artifacts)))


EAGER = Compilation()


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """What was rendered: `frames` is uint8 of shape (frames, height, width, 3), RGB.

    `steps` are those that were done here; an earlier attempt may have done others. `seams` are
    where the segments of a long video meet.
    """

    frames: "np.ndarray"
    stages: StageSeconds
    steps: int
    peak_memory_bytes: int
    compilation: Compilation = EAGER
    seams: tuple[Seam, ...] = ()


class Keeper(Protocol):
    """Keeps how far a render is, so that another process can go on with it."""

    def found(self, limit_bytes: int) -> bytes | None:
        """What an earlier attempt left, unless there is nothing, or more than so many bytes."""
        ...

    def resumed(self, step: int) -> None:
        """The render goes on after `step` of its steps: what was found fits."""
        ...

    def refused(self, reason: str) -> None:
        """The render starts over: what was found does not fit."""
        ...

    def step_done(self, step: int, pack: Callable[[], bytes]) -> None:
        """`step` steps are done; `pack` gives the state, as long as no other step begins."""
        ...


class Engine(Protocol):
    """A release on this machine, ready to render one request after the other."""

    @property
    def name(self) -> str: ...
    @property
    def release(self) -> Release: ...
    @property
    def fingerprint(self) -> Fingerprint: ...
    @property
    def load_seconds(self) -> float: ...

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        """The frames of `request`; RenderError when this one cannot be rendered.

        `on_step(0, steps)` is called when the text is encoded, `on_step(i, steps)` after step i.
        What it raises ends the render and comes out unchanged. With a `keeper` the render goes on
        where an earlier attempt was left, say after step k: then the first call is
        `on_step(k, steps)`. Before each later call the keeper is offered the state.
        """
        ...


def check_request(release: Release, request: RenderRequest) -> None:
    """RenderError for what diffusers would round, or what was planned for another release."""
    if request.release_identity != release.identity:
        raise RenderError(
            f"The shot was planned for release {request.release} as it was then "
            f"({request.release_identity[:12]}); this engine is {release.identity[:12]}. "
            "Plan it again.",
            stage="text",
        )
    multiple = release.sizes.multiple_of
    if request.width % multiple or request.height % multiple:
        raise RenderError(
            f"{request.width}x{request.height} is not made of multiples of {multiple}, as "
            f"{release.name} needs. Choose one of its shapes.",
            stage="text",
        )
    if not release.draws(request.frames):
        limits = release.frames
        raise RenderError(
            f"{request.frames} frames: {release.name} draws {limits.step} * k + {limits.offset} "
            f"from {limits.min} to {release.most_frames}.",
            stage="text",
        )
    if request.segments != release.segments_text(request.frames):
        raise RenderError(
            f"The shot was planned when {release.name} was cut into segments otherwise. "
            "Plan it again.",
            stage="text",
        )
