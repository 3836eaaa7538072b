"""When what keeps failing may be tried again without being asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from wan_pipelines.ledger.moments import EPOCH

FACTOR = 4
LONGEST = timedelta(hours=1)
_LONGEST_AFTER = 17  # even a microsecond has grown to more than an hour by then


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses `first` after one failure, `FACTOR` times as long after each further one.

    A pause is at most `LONGEST`. After `failures_until_rest` failures in a row a shot rests until
    its render key changes or somebody launches it by hand.
    """

    first: timedelta
    failures_until_rest: int

    def pause(self, failures: int) -> timedelta:
        """The pause after so many failures in a row, at least one."""
        return min(self.first * FACTOR ** (min(failures, _LONGEST_AFTER) - 1), LONGEST)

    def next_attempt(self, failures: int, last_failed_at: datetime | None) -> datetime | None:
        """When a shot may be tried again; `None` when it rests.

        A shot that has not failed since it was last accepted may be tried at any time: the answer
        lies in the past.
        """
        if failures == 0 or last_failed_at is None:
            return EPOCH
        if failures >= self.failures_until_rest:
            return None
        return last_failed_at + self.pause(failures)
