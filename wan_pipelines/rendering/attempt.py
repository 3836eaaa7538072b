"""One attempt at a shot: from a lease to footage, or to a take that says why not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.protocol import EAGER, Engine, Footage
from wan_pipelines.errors import LedgerError, RenderError
from wan_pipelines.rendering.clock import Clock
from wan_pipelines.rendering.keeper import TakeKeeper
from wan_pipelines.rendering.ports import Lease
from wan_pipelines.rendering.spans import SpanRecorder
from wan_pipelines.rendering.takes import NO_CHECKPOINTS, Outcome, RunReference, Take


class Ended(Exception):
    """Raised at the boundary of a step to end a render that nobody wants any more."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome


@dataclass(frozen=True, slots=True)
class Attempt:
    """A shot on an engine. `at_step(step, steps)` may raise `Ended`."""

    shot: Shot
    lease: Lease
    engine: Engine
    run: RunReference
    clock: Clock
    spans: SpanRecorder
    span_seconds: float
    at_step: Callable[[int, int], None]
    keeper: TakeKeeper | None = None

    def make(self) -> tuple[Take, Footage | None]:
        """Renders; the footage is None when the take failed, was lost or was cancelled.

        Errors are turned into words at once: a live exception would pin the render's tensors.
        Only a LedgerError comes out, of the book that is told about time.
        """
        started_at = self.clock.now()
        steps = _Steps(self)
        self.spans.switch("text", self.lease.take_id)
        try:
            footage = self.engine.render(self.shot.request, steps, self.keeper)
            _check_frames(self.shot, footage)
        except Ended as error:
            outcome: Outcome = error.outcome
            if self.keeper and outcome == "cancelled":
                self.keeper.keep_now()
            take = self._take(started_at, steps.done_here)
            return take.with_error(error, stage=self.spans.kind, outcome=outcome), None
        except LedgerError:
            raise
        except Exception as error:
            stage = error.stage if isinstance(error, RenderError) else self.spans.kind
            self._forget_what_may_be_wrong()
            return self._take(started_at, steps.done_here).with_error(error, stage=stage), None
        return self._take(started_at, steps.done_here, footage), footage

    def _forget_what_may_be_wrong(self) -> None:
        """A shot that fails after it was resumed may fail because it was: it starts over then."""
        if self.keeper and self.keeper.use.resumed_steps:
            self.keeper.forget()

    def _take(self, started_at: datetime, steps: int, footage: Footage | None = None) -> Take:
        request = self.shot.request
        return Take(
            id=self.lease.take_id,
            render_key=self.lease.render_key,
            outcome="accepted",
            seed=request.seed,
            steps=footage.steps if footage else steps,
            stages=footage.stages if footage else None,
            peak_memory_bytes=footage.peak_memory_bytes if footage else 0,
            engine=footage.compilation.told(self.engine.name) if footage else self.engine.name,
            release=request.release,
            fingerprint=self.engine.fingerprint.digest,
            run=self.run,
            started_at=started_at,
            ended_at=self.clock.now(),
            checkpoint=self.keeper.use if self.keeper else NO_CHECKPOINTS,
            compilation=footage.compilation if footage else EAGER,
            seams=footage.seams if footage else (),
        )


class _Steps:
    """The engine's callback: follows the stages, keeps long spans short, asks whether to go on."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._first: int | None = None
        self.done_here = 0

    def __call__(self, step: int, steps: int) -> None:
        self._first = step if self._first is None else self._first
        self.done_here = step - self._first
        attempt = self._attempt
        attempt.spans.switch("decode" if step == steps else "denoise", attempt.lease.take_id)
        attempt.spans.close_if_older_than(attempt.span_seconds)
        attempt.at_step(step, steps)


def _check_frames(shot: Shot, footage: Footage) -> None:
    request = shot.request
    expected = (request.frames, request.height, request.width, 3)
    if footage.frames.shape != expected or footage.frames.dtype != "uint8":
        raise RenderError(
            f"The engine handed back {footage.frames.dtype} {footage.frames.shape} instead of "
            f"uint8 {expected}. That is a mistake in the engine: please report it.",
            stage="decode",
        )
