"""How far a worker is."""

from collections.abc import Callable
from dataclasses import dataclass

from wan_pipelines.rendering.clock import Clock
from wan_pipelines.rendering.spans import NANOSECONDS


@dataclass(frozen=True, slots=True)
class Progress:
    """Step `step` of `steps` of one shot; `shots_done` of the shard's `shots` lie behind.

    The shot may render for `limit_seconds` in all; None: for as long as it likes.
    """

    shot: str
    take_id: str
    step: int
    steps: int
    shots_done: int
    shots: int
    limit_seconds: float | None = None

    def __str__(self) -> str:
        return (
            f"{self.shot}: step {self.step} of {self.steps} "
            f"({self.shots_done} of {self.shots} shots done)"
        )


OnProgress = Callable[[Progress | None], None]
"""Called as a render begins, at each boundary of its steps, and with None as it ends."""


def told_nobody(_: Progress | None) -> None:
    """An `OnProgress` for those who do not follow."""


def each_told(*listeners: OnProgress) -> OnProgress:
    """All of them at once."""

    def tell(progress: Progress | None) -> None:
        for listener in listeners:
            listener(progress)

    return tell


class ProgressTold:
    """An `OnProgress` that says it in words, at most once per `every_seconds`."""

    def __init__(
        self, say: Callable[[str], None], every_seconds: float = 10.0, clock: Clock | None = None
    ) -> None:
        self._say = say
        self._clock = clock or Clock()
        self._interval_ns = int(every_seconds * NANOSECONDS)
        self._last_ns: int | None = None

    def __call__(self, progress: Progress | None) -> None:
        if progress is None:
            return
        now_ns = self._clock.monotonic_ns()
        if self._last_ns is None or now_ns - self._last_ns >= self._interval_ns:
            self._last_ns = now_ns
            self._say(str(progress))
