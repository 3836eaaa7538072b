"""The two clocks of a worker, together, so that tests can hold both."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from wan_pipelines.processes import age_ns


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """`monotonic_ns` measures what is paid, `now` (UTC) dates what is recorded."""

    monotonic_ns: Callable[[], int] = time.monotonic_ns
    now: Callable[[], datetime] = _utc_now


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment on both clocks. The processes of a machine may tell it to each other."""

    at: datetime
    monotonic_ns: int

    @classmethod
    def of_birth(cls) -> Self:
        """When this process began."""
        age = age_ns()
        born = datetime.now(UTC) - timedelta(microseconds=age // 1000)
        return cls(born, time.monotonic_ns() - age)

    def moved_to(self, at: datetime) -> Self:
        """A later moment that a clock told which was not set meanwhile; never one to come."""
        later_ns = self.monotonic_ns + (at - self.at) // timedelta(microseconds=1) * 1000
        return type(self)(at, min(later_ns, time.monotonic_ns()))

    def to_json(self) -> dict[str, Any]:
        return {"at": self.at.isoformat(), "monotonic_ns": self.monotonic_ns}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(datetime.fromisoformat(data["at"]), data["monotonic_ns"])
