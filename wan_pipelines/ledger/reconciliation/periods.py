"""Periods that are reconciled, and amounts split where days and periods have their borders."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

from wan_pipelines.clocks import parsed_day
from wan_pipelines.ledger.charges import apportion
from wan_pipelines.ledger.moments import MICROSECONDS_PER_DAY, from_micros, to_micros


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in UTC, from `first` to `last`."""

    first: date
    last: date

    @classmethod
    def parse(cls, words: str) -> Self:
        """A month such as 2026-11, or a day such as 2026-11-03; ValueError if it is neither."""
        try:
            if len(words) == len("2026-11"):
                first = parsed_day(f"{words}-01")
                following = (first + timedelta(days=31)).replace(day=1)
                return cls(first, following - timedelta(days=1))
            day = parsed_day(words)
        except ValueError as error:
            raise ValueError(f"{words!r} is no period such as 2026-11 or 2026-11-03") from error
        return cls(day, day)

    @property
    def begin(self) -> datetime:
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """Not part of it."""
        last = datetime(self.last.year, self.last.month, self.last.day, tzinfo=UTC)
        return last + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an interval: on a day, or outside of the period (`day` is None)."""

    day: date | None
    microseconds: int


def spans_of(starts_at: int, ends_at: int, period: Period) -> tuple[Span, ...]:
    """An interval (microseconds since 1970) cut at midnights, in order; nothing is left out."""
    return tuple(_spans(starts_at, ends_at, to_micros(period.begin), to_micros(period.end)))


def _spans(starts_at: int, ends_at: int, begin: int, end: int) -> Iterator[Span]:
    if starts_at < begin:
        yield Span(None, min(begin, ends_at) - starts_at)
    moment = max(starts_at, begin)
    while moment < min(ends_at, end):
        midnight = (moment // MICROSECONDS_PER_DAY + 1) * MICROSECONDS_PER_DAY
        until = min(midnight, ends_at)
        yield Span(from_micros(moment).date(), until - moment)
        moment = until
    if ends_at > end:
        yield Span(None, ends_at - max(end, starts_at))


def split_over(amount: int, spans: tuple[Span, ...]) -> list[int]:
    """An amount of either sign, in proportion to the spans' lengths; the parts add up to it."""
    parts = apportion(abs(amount), [span.microseconds for span in spans])
    return parts if amount >= 0 else [-part for part in parts]
