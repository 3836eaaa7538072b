"""Instants and durations as the tables keep them: integer microseconds, instants since 1970."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_PER_DAY = 86_400_000_000


def to_micros(moment: datetime) -> int:
    """Microseconds since the epoch; a moment without time zone is a `TypeError`."""
    return (moment - EPOCH) // MICROSECOND


def from_micros(microseconds: int) -> datetime:
    """The UTC moment of `to_micros`, exactly."""
    return EPOCH + timedelta(microseconds=microseconds)


def from_micros_or_none(microseconds: int | None) -> datetime | None:
    """`from_micros` for a column that may be empty."""
    return None if microseconds is None else from_micros(microseconds)


def seconds_of(microseconds: int) -> float:
    """A duration in seconds, for people."""
    return microseconds / 1_000_000


def micros_in(seconds: float) -> int:
    """A duration that was measured in seconds, to the microsecond."""
    return round(seconds * 1_000_000)
