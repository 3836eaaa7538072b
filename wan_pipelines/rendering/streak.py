"""Notices that shot after shot fails the same way, which no single shot can be blamed for."""

from threading import Lock

from wan_pipelines.errors import RenderError
from wan_pipelines.rendering.takes import Take


class FailureStreak:
    """Counts takes that failed with the same type of error at the same stage, in a row.

    Rendering and encoding keep one each: a shot that renders well says nothing about the disk.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0
        self._last: Take | None = None
        self._lock = Lock()

    def note(self, take: Take) -> None:
        """A take has come this far, or failed here."""
        with self._lock:
            if take.outcome == "accepted":
                self._count, self._last = 0, None
            elif take.outcome == "failed":
                self._count = self._count + 1 if _alike(take, self._last) else 1
                self._last = take

    def check(self) -> None:
        """RenderError once the limit is reached: the next shots would only fail as well."""
        with self._lock:
            if self._last is None or self._count < self._limit:
                return
            last = self._last
            raise RenderError(
                f"{self._count} shots in a row failed the same way ({last.error_type} at stage "
                f"{last.error_stage}), so the shard stops; the other shots are untouched. "
                f"The last error: {last.error_message}",
                stage=last.error_stage,
            )


def _alike(take: Take, other: Take | None) -> bool:
    return other is not None and (take.error_type, take.error_stage) == (
        other.error_type,
        other.error_stage,
    )
