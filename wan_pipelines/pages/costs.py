"""What the page of costs shows, as frozen records. Money is whole micro-dollars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from wan_pipelines.pages.charts import Box, Scale, ends, lines, scale_of, shares, stacked_columns

PARTS = (
    ("Videos", "Rendering what was accepted."),
    ("Loading", "Starting workers and loading models, before anything is drawn."),
    ("Waiting", "Workers that were paid and had nothing to render."),
    ("Wasted", "Attempts that failed or were stopped, and workers that rendered nothing."),
    ("Unused", "Reserved GPUs that no worker held."),
)
"""What all money falls into, each micro-dollar once: its name, and what it means."""


class Parts(NamedTuple):
    """Micro-dollars of each of `PARTS`, in their order."""

    rendered: int
    loaded: int
    waited: int
    wasted: int
    unused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What was paid for something; the parts add up to it.

    `retried` and `degraded` lie across the parts: repeated attempts, and videos drawn with less
    than was asked for.
    """

    videos: int
    takes: int
    gpu_microseconds: int
    micro_usd: int
    parts: Parts
    retried_micro_usd: int
    degraded_micro_usd: int

    @property
    def each_micro_usd(self) -> int | None:
        """Paid for each video; None where there is none."""
        return quotient(self.micro_usd, self.videos)

    @property
    def per_1000_micro_usd(self) -> int | None:
        """Paid for a thousand videos at that rate."""
        return quotient(1000 * self.micro_usd, self.videos)

    @property
    def gpu_seconds_per_1000(self) -> float | None:
        """GPU time of a thousand videos at that rate."""
        return self.gpu_microseconds / 1000 / self.videos if self.videos else None

    @property
    def shares(self) -> tuple[Box, ...]:
        """The parts side by side."""
        return shares(self.parts)

    @property
    def lost_micro_usd(self) -> int:
        """What brought no video: everything but what was rendered."""
        return self.micro_usd - self.parts.rendered

    @property
    def idle_micro_usd(self) -> int:
        """What was paid for GPUs that had nothing to do, with a worker on them or without."""
        return self.parts.waited + self.parts.unused


@dataclass(frozen=True, slots=True)
class Day:
    """One day, and what was paid for what began on it."""

    day: date
    spent: Spent


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a ranking: what it is about, and what was paid for it."""

    names: tuple[str, ...]
    spent: Spent


@dataclass(frozen=True, slots=True)
class Ranking:
    """Who or what cost most. `left_out` rows are not shown; together they cost `rest`."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: int = 0
    rest_micro_usd: int = 0

    @property
    def has_nameless(self) -> bool:
        """Is there a row of what belongs to none of what is ranked?"""
        return any(not row.names[0] for row in self.rows)

    @property
    def most(self) -> int:
        """What the longest bar stands for."""
        return max((row.spent.micro_usd for row in self.rows), default=0)


@dataclass(frozen=True, slots=True)
class TargetLine:
    """What videos of a kind may cost on average, and what they did cost."""

    name: str
    target_micro_usd: int
    videos: int
    each_micro_usd: int | None

    @property
    def met(self) -> bool:
        return self.each_micro_usd is None or self.each_micro_usd <= self.target_micro_usd


@dataclass(frozen=True)
class CostsView:
    """Everything on the page; `tenant` is empty on the page of all of them."""

    tenant: str
    generated_at: datetime
    time_zone: str
    total: Spent
    days: tuple[Day, ...]
    rankings: tuple[Ranking, ...]
    targets: tuple[TargetLine, ...]

    @cached_property
    def day_scale(self) -> Scale:
        return scale_of(map(sum, self._stacks))

    @property
    def columns(self) -> tuple[Box, ...]:
        """Each day's money in its parts."""
        return stacked_columns(self._stacks, self.day_scale)

    @cached_property
    def rate_scale(self) -> Scale:
        return scale_of(rate for rate in self._rates if rate is not None)

    @property
    def rate_lines(self) -> tuple[str, ...]:
        """Money for a thousand videos, day by day."""
        return lines(self._rates, self.rate_scale)

    @property
    def named_days(self) -> tuple[date, ...]:
        """Days that are written below the charts."""
        return tuple(self.days[place].day for place in ends(len(self.days)))

    @property
    def _stacks(self) -> Sequence[Sequence[int]]:
        """What corrections made negative is not drawn; the table beside the chart has it."""
        return [[max(0, part) for part in each.spent.parts] for each in self.days]

    @property
    def _rates(self) -> Sequence[int | None]:
        rates = [each.spent.per_1000_micro_usd for each in self.days]
        return [rate if rate is None else max(0, rate) for rate in rates]


def quotient(amount: int, number: int) -> int | None:
    """A quotient, rounded half up."""
    return (2 * amount + number) // (2 * number) if number else None
