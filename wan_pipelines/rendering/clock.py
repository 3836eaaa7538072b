"""The two clocks of a worker, together, so that tests can hold both."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """`monotonic_ns` measures what is paid, `now` (UTC) dates what is recorded."""

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    now: Callable[[], datetime] = _utc_now
