"""Reserved fleets: what they cost a day, and what of them no worker held. Pure arithmetic.

At any moment, workers of a class are taken to hold reserved GPUs first, those of the fleet that was
declared first before the others'; what they hold beyond is on demand. So a GPU is idle exactly
where fewer are held than are reserved, and never twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Self

from wan_pipelines.ledger.moments import MICROSECONDS_PER_DAY, from_micros, to_micros
from wan_pipelines.ledger.money import price_of, round_half_up


@dataclass(frozen=True, slots=True)
class Fleet:
    """GPUs that are paid whether they are used or not, from `since` on until `until`, if ever.

    They cost either an amount per GPU and hour, or one for all of them per calendar month (UTC),
    of which each moment of the month costs the same.
    """

    name: str
    gpu_class: str
    gpus: int
    since: datetime
    until: datetime | None = None
    micro_usd_per_gpu_hour: int | None = None
    micro_usd_per_month: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """GPUs that a worker held; microseconds since 1970."""

    starts_at: int
    ends_at: int
    gpus: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a fleet on a day: what was reserved, and what of that nobody held."""

    reserved_gpu_microseconds: int
    reserved_micro_usd: int
    idle_gpu_microseconds: int
    idle_micro_usd: int

    @classmethod
    def of(cls, fleet: Fleet, day: int, idle_gpu_microseconds: int) -> Self:
        """The usage on the day that begins then (microseconds since 1970)."""
        starts_at, ends_at = paid_on(fleet, day)
        reserved = fleet.gpus * (ends_at - starts_at)
        cost = cost_between(fleet, starts_at, ends_at)
        idle = round_half_up(cost * idle_gpu_microseconds, reserved) if reserved else 0
        return cls(reserved, cost, idle_gpu_microseconds, idle)


NOTHING = Usage(0, 0, 0, 0)


def paid_on(fleet: Fleet, day: int) -> tuple[int, int]:
    """The part of a day in which a fleet is paid, as a possibly empty interval."""
    ends_at = day + MICROSECONDS_PER_DAY
    starts_at = min(max(day, to_micros(fleet.since)), ends_at)
    if fleet.until is not None:
        ends_at = max(starts_at, min(ends_at, to_micros(fleet.until)))
    return starts_at, ends_at


def cost_between(fleet: Fleet, starts_at: int, ends_at: int) -> int:
    """What a fleet costs from moment to moment of a day, in micro-dollars.

    The days of a month add up to the month's commitment exactly.
    """
    if fleet.micro_usd_per_gpu_hour is not None:
        return price_of(
            gpu_count=fleet.gpus,
            microseconds=ends_at - starts_at,
            micro_usd_per_gpu_hour=fleet.micro_usd_per_gpu_hour,
        )
    if starts_at == ends_at:
        return 0
    month = _month_of(starts_at)
    return _spent(fleet, month, ends_at) - _spent(fleet, month, starts_at)


def idle_times(fleets: Sequence[Fleet], holds: Sequence[Hold], day: int) -> dict[str, int]:
    """GPU-microseconds of a day that nobody held, by fleet; all are of one class."""
    idle = dict.fromkeys((fleet.name for fleet in fleets), 0)
    paid = [paid_on(fleet, day) for fleet in fleets]
    for starts_at, ends_at, held in _segments(holds, paid):
        left = held
        for fleet, (begin, end) in zip(fleets, paid, strict=True):
            if begin <= starts_at < end:
                used = min(fleet.gpus, left)
                left -= used
                idle[fleet.name] += (fleet.gpus - used) * (ends_at - starts_at)
    return idle


def _segments(
    holds: Sequence[Hold], paid: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, int]]:
    """Intervals in which nothing begins or ends, and how many GPUs are held in each."""
    borders = sorted({border for interval in paid for border in interval})
    if not borders:
        return
    changes: dict[int, int] = dict.fromkeys(borders, 0)
    for hold in holds:
        starts_at = max(hold.starts_at, borders[0])
        ends_at = min(hold.ends_at, borders[-1])
        if starts_at < ends_at:
            changes[starts_at] = changes.get(starts_at, 0) + hold.gpus
            changes[ends_at] = changes.get(ends_at, 0) - hold.gpus
    held = 0
    for starts_at, ends_at in pairwise(sorted(changes)):
        held += changes[starts_at]
        yield starts_at, ends_at, held


def _month_of(moment: int) -> tuple[int, int]:
    first = from_micros(moment).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = divmod(first.year * 12 + first.month, 12)
    return to_micros(first), to_micros(first.replace(year=year, month=month + 1))


def _spent(fleet: Fleet, month: tuple[int, int], moment: int) -> int:
    """Of a month's commitment, from the month's beginning until then."""
    first, end = month
    return round_half_up((fleet.micro_usd_per_month or 0) * (moment - first), end - first)
