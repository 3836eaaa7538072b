"""When a shot that keeps failing may be tried again without being asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wan_pipelines.ledger.moments import EPOCH


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits `first` after one failure, `factor` times as long after each further one.

    After `failures_until_rest` failures in a row the shot rests until its render key changes or
    somebody launches it by hand.
    """

    first: timedelta = timedelta(minutes=1)
    factor: int = 4
    longest: timedelta = timedelta(days=1)
    failures_until_rest: int = 5

    def pause(self, failures: int) -> timedelta:
        """The wait after so many failures in a row, at least one."""
        times = min(failures - 1, self.failures_until_rest)
        return min(self.first * self.factor**times, self.longest)


def next_attempt(
    failures: int, last_failed_at: datetime | None, backoff: Backoff
) -> datetime | None:
    """When a shot may be tried again; `None` when it rests.

    A shot that has not failed since it was last accepted may be tried at any time: the answer
    lies in the past.
    """
    if failures == 0 or last_failed_at is None:
        return EPOCH
    if failures >= backoff.failures_until_rest:
        return None
    return last_failed_at + backoff.pause(failures)
