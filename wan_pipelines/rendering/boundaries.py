"""What a worker does between two steps of a render: tell, and see whether it is to go on."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from wan_pipelines.errors import Exhausted
from wan_pipelines.rendering.attempt import Ended
from wan_pipelines.rendering.clock import Clock
from wan_pipelines.rendering.progress import OnProgress, Progress
from wan_pipelines.rendering.spans import NANOSECONDS
from wan_pipelines.rendering.tail_line import LOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Called by the engine at each step's boundary of one render.

    Exhausted when the render has taken longer than `limit_seconds`, Ended when nobody wants it.
    """

    shot: str
    take_id: str
    shots_done: int
    shots: int
    limit_seconds: float | None
    began_ns: int
    clock: Clock
    stop: Event
    has_lost: Callable[[], bool]
    recalled: Callable[[], str]
    is_broken: Callable[[], bool]
    on_progress: OnProgress

    def __call__(self, step: int, steps: int) -> None:
        self.tell(step, steps)
        # Before the wish to stop, which a worker that hung is told for this very reason.
        self._check_time(step, steps)
        if self.stop.is_set():
            raise Ended("cancelled", "The worker was told to stop.")
        if self.has_lost():
            raise Ended("lost", LOST)
        if why := self.recalled():
            raise Ended("cancelled", why)
        if self.is_broken():
            raise Ended("cancelled", "Results cannot be recorded any more.")

    def tell(self, step: int, steps: int) -> None:
        """Says how far the render is."""
        self.on_progress(
            Progress(
                shot=self.shot,
                take_id=self.take_id,
                step=step,
                steps=steps,
                shots_done=self.shots_done,
                shots=self.shots,
                limit_seconds=self.limit_seconds,
            )
        )

    def _check_time(self, step: int, steps: int) -> None:
        limit = self.limit_seconds
        if limit and self.clock.monotonic_ns() - self.began_ns > limit * NANOSECONDS:
            words = f"Not done after {limit:g} s, at step {step} of {steps}."
            raise Exhausted(words, stage="denoise", kind="time")
