"""Says now and then how far a worker is."""

from collections.abc import Callable
from dataclasses import dataclass

from wan_pipelines.rendering.clock import Clock
from wan_pipelines.rendering.spans import NANOSECONDS


@dataclass(frozen=True, slots=True)
class Progress:
    """Step `step` of `steps` of one shot; `shots_done` of the shard's `shots` lie behind."""

    shot: str
    take_id: str
    step: int
    steps: int
    shots_done: int
    shots: int

    def __str__(self) -> str:
        return (
            f"{self.shot}: step {self.step} of {self.steps} "
            f"({self.shots_done} of {self.shots} shots done)"
        )


class ProgressReporter:
    """Hands progress on, at most once per `every_seconds`."""

    def __init__(
        self, listener: Callable[[Progress], None] | None, clock: Clock, every_seconds: float
    ) -> None:
        self._listener = listener
        self._clock = clock
        self._interval_ns = int(every_seconds * NANOSECONDS)
        self._last_ns: int | None = None

    def tell(self, progress: Progress) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._last_ns is None or now_ns - self._last_ns >= self._interval_ns:
            self._last_ns = now_ns
            if self._listener:
                self._listener(progress)
