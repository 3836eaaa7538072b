"""One attempt at a shot: from a lease to footage, or to a take that says why not."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.ladder.exhaustion import exhaustion_of
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.engines.ladder.stages import denoising_stage
from wan_pipelines.engines.protocol import EAGER, Engine, Footage
from wan_pipelines.errors import Exhausted, ExhaustionKind, LedgerError, RenderError
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
    """A shot on an engine, drawn as `footing` says. `at_step(step, steps)` may raise `Ended`."""

    shot: Shot
    lease: Lease
    engine: Engine
    footing: Footing
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
            footage = self.engine.render(self.footing.request, steps, self.keeper)
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
            kind = exhaustion_of(error)
            stage = self._stage(error, kind, steps.reached)
            take = self._take(started_at, steps.done_here).with_error(error, stage=stage)
        else:
            return self._take(started_at, steps.done_here, footage), footage
        # The error is gone by now, and with it what it held of the render.
        if self.keeper:
            _keep_or_forget(self.keeper, kind)
            take = replace(take, checkpoint=self.keeper.use)
        return replace(take, exhausted=kind), None

    def _stage(self, error: Exception, kind: ExhaustionKind | None, reached: int) -> str:
        if kind and self.spans.kind == "denoise":
            return denoising_stage(self.engine.release, self.footing.request.sampling, reached)
        return error.stage if isinstance(error, RenderError) else self.spans.kind

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
            release=self.footing.request.release,
            fingerprint=self.engine.fingerprint.digest,
            run=self.run,
            started_at=started_at,
            ended_at=self.clock.now(),
            checkpoint=self.keeper.use if self.keeper else NO_CHECKPOINTS,
            compilation=footage.compilation if footage else EAGER,
            footing=self.footing,
            seams=footage.seams if footage else (),
        )


def not_loaded(
    lease: Lease, footing: Footing, run: RunReference, error: Exhausted, began: datetime
) -> Take:
    """The take of an attempt for which no engine could be loaded."""
    take = Take(
        id=lease.take_id,
        render_key=lease.render_key,
        outcome="failed",
        seed=footing.request.seed,
        steps=0,
        stages=None,
        peak_memory_bytes=0,
        engine="",
        release=footing.request.release,
        fingerprint="",
        run=run,
        started_at=began,
        ended_at=began,
        footing=footing,
        exhausted=error.kind,
    )
    return take.with_error(error, stage=error.stage)


class _Steps:
    """The engine's callback: follows the stages, keeps long spans short, asks whether to go on."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._first: int | None = None
        self.reached = 0
        self.done_here = 0

    def __call__(self, step: int, steps: int) -> None:
        self._first = step if self._first is None else self._first
        self.reached, self.done_here = step, step - self._first
        attempt = self._attempt
        attempt.spans.switch("decode" if step == steps else "denoise", attempt.lease.take_id)
        attempt.spans.close_if_older_than(attempt.span_seconds)
        attempt.at_step(step, steps)


def _keep_or_forget(keeper: TakeKeeper, kind: ExhaustionKind | None) -> None:
    """What gave out is not the fault of what was done: the next attempt goes on from there.

    Otherwise a shot that fails after it was resumed may fail because it was: it starts over then.
    A GPU that has failed gives nothing back.
    """
    if kind is None and keeper.use.resumed_steps:
        keeper.forget()
    if kind in ("memory", "time"):
        with suppress(MemoryError, RuntimeError):  # there may not even be room for that
            keeper.keep_now()


def _check_frames(shot: Shot, footage: Footage) -> None:
    request = shot.request
    expected = (request.frames, request.height, request.width, 3)
    if footage.frames.shape != expected or footage.frames.dtype != "uint8":
        raise RenderError(
            f"The engine handed back {footage.frames.dtype} {footage.frames.shape} instead of "
            f"uint8 {expected}. That is a mistake in the engine: please report it.",
            stage="decode",
        )
