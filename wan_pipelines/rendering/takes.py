"""What rendering leaves behind: takes, and the spans of paid time they took."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self

from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.engines.protocol import EAGER, Compilation, StageSeconds
from wan_pipelines.engines.segments.seams import Seam
from wan_pipelines.errors import ExhaustionKind

Outcome = Literal["accepted", "failed", "lost", "cancelled"]
SpanKind = Literal["load", "text", "denoise", "decode", "wait", "idle"]
SPAN_KINDS: tuple[SpanKind, ...] = ("load", "text", "denoise", "decode", "wait", "idle")


@dataclass(frozen=True, slots=True)
class RunReference:
    """The run and the step that a worker renders for."""

    run_id: str
    step_key: str


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of paid worker time, in nanoseconds of the monotonic clock.

    The spans of a worker tile its life: each begins where the one before it ended. `load` is
    process start and engine load, `wait` is for encoding or for another worker, `idle` the rest.
    """

    kind: SpanKind
    take_id: str | None
    started_ns: int
    ended_ns: int

    @property
    def nanoseconds(self) -> int:
        return self.ended_ns - self.started_ns


@dataclass(frozen=True, slots=True)
class CheckpointUse:
    """How an attempt at a shot was joined to those before and after it.

    `resumed_steps` were done by earlier attempts; `refused` says why what they had left was of no
    use. After `saved_steps` the next attempt would go on; `unsaved` says why it last failed to be
    saved. Zero and empty: it did not come up.
    """

    resumed_steps: int = 0
    refused: str = ""
    saved_steps: int = 0
    unsaved: str = ""


NO_CHECKPOINTS = CheckpointUse()


@dataclass(frozen=True, slots=True)
class Take:
    """One attempt at a shot.

    Outcomes: `accepted`, its files are published; `failed`, with an error; `lost`, the lease had
    passed to another worker; `cancelled`, the worker was told to stop. `steps` are the denoising
    steps that it did itself; `stages` is None when rendering did not end well. `ended_at` is when
    the frames were there, or when it went wrong. `footing` is what it was drawn as, which is not
    always what the shot asks for; `exhausted` says what gave out.
    """

    id: str
    render_key: str
    outcome: Outcome
    seed: int
    steps: int
    stages: StageSeconds | None
    peak_memory_bytes: int
    engine: str
    release: str
    fingerprint: str
    run: RunReference
    started_at: datetime
    ended_at: datetime
    error_type: str = ""
    error_message: str = ""
    error_stage: str = ""
    checkpoint: CheckpointUse = NO_CHECKPOINTS
    compilation: Compilation = EAGER
    footing: Footing | None = None
    exhausted: ExhaustionKind | None = None
    seams: tuple[Seam, ...] = ()

    def with_reason(self, reason: str) -> Self:
        """The same take, with what was decided about its error."""
        return replace(self, error_message=f"{self.error_message} {reason}".rstrip())

    def with_error(self, error: BaseException, *, stage: str, outcome: Outcome = "failed") -> Self:
        """The same take, gone wrong: keeps the error's words, not the error, which pins memory."""
        return replace(
            self,
            outcome=outcome,
            error_type=type(error).__name__,
            error_message=str(error) or type(error).__name__,
            error_stage=stage,
        )
