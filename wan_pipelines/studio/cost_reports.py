"""What days cost: computed from the ledger, kept in the store, read from there for a period."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from wan_pipelines.ledger.reports.spending_rows import (
    Detail,
    idle_spending,
    paid_between,
    posted,
    spending,
)
from wan_pipelines.ledger.whose import Asked, House
from wan_pipelines.reporting.files import from_parquet, to_csv, to_parquet
from wan_pipelines.reporting.frames import frame_of, idle_frame, joined, of_day
from wan_pipelines.reporting.summary import described, total
from wan_pipelines.studio.studio import Studio

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "reports/costs"
OPERATOR = House("operator")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayReport:
    """A day's report as it was written.

    `posted_micro_usd` is what the ledger's postings of the day come to, asked for apart from it;
    `before_micro_usd` what the report said that it replaced, None if there was none.
    """

    day: date
    frame: "pd.DataFrame"
    parquet: str
    csv: str
    posted_micro_usd: int
    before_micro_usd: int | None

    @property
    def micro_usd(self) -> int:
        """What the report comes to."""
        return total(self.frame)

    @property
    def changed_micro_usd(self) -> int:
        """By how much the day changed since it was reported last, by corrections above all."""
        before = self.before_micro_usd
        return 0 if before is None else self.micro_usd - before


def today(studio: Studio) -> date:
    """The day it is where the environment keeps its books."""
    return datetime.now(ZoneInfo(studio.settings.costs.time_zone)).date()


def days(since: date, until: date) -> Iterator[date]:
    """Each day from the first to the last, both included."""
    for number in range((until - since).days + 1):
        yield since + timedelta(days=number)


def bounds(studio: Studio, since: date, until: date) -> tuple[datetime, datetime]:
    """From when to when days last, the last one included; clocks may change meanwhile."""
    zone = ZoneInfo(studio.settings.costs.time_zone)
    began = datetime.combine(since, time(), zone)
    ended = datetime.combine(until + ONE_DAY, time(), zone)
    return began.astimezone(UTC), ended.astimezone(UTC)


def compute_day(studio: Studio, day: date, whose: Asked = OPERATOR) -> "pd.DataFrame":
    """A day's spending by all that it is grouped by, from the ledger as it stands."""
    limits = bounds(studio, day, day)
    parts = [frame_of(rows) for rows in spending(studio.ledger, whose, *limits)]
    if isinstance(whose, House):
        parts.append(idle_frame(idle_spending(studio.ledger, *limits)))
    return of_day(day, parts or [frame_of([])])


def write_day(studio: Studio, day: date) -> DayReport:
    """Compute a day and keep it: Parquet to go on with, CSV to look at."""
    parquet, csv = parquet_key(day), f"{FOLDER}/{day.isoformat()}.csv"
    before = kept_day(studio, day)
    frame = compute_day(studio, day)
    studio.store.put_bytes(csv, to_csv(described(frame)).encode())
    studio.store.put_bytes(parquet, to_parquet(frame))
    return DayReport(
        day=day,
        frame=frame,
        parquet=parquet,
        csv=csv,
        posted_micro_usd=posted(studio.ledger, OPERATOR, *bounds(studio, day, day)).total(),
        before_micro_usd=None if before is None else total(before),
    )


def parquet_key(day: date) -> str:
    """Where in the store the report of a day is, once it is reported."""
    return f"{FOLDER}/{day.isoformat()}.parquet"


def kept_day(studio: Studio, day: date) -> "pd.DataFrame | None":
    """A day as it was last reported, if it was."""
    key = parquet_key(day)
    return None if studio.store.stat(key) is None else from_parquet(studio.store.read_bytes(key))


def kept_period(studio: Studio, since: date, until: date) -> "pd.DataFrame":
    """Days as they were last reported; those that were not are computed."""
    frames = []
    for day in days(since, until):
        kept = kept_day(studio, day)
        frames.append(compute_day(studio, day) if kept is None else kept)
    return joined(frames)


def period(studio: Studio, since: date, until: date, whose: Asked) -> "pd.DataFrame":
    """Days from the ledger as it stands, one after the other: memory holds a day's charges.

    Days before anything was paid, and after it, are passed over, however many are asked for.
    """
    paid = paid_between(studio.ledger, whose, *bounds(studio, since, until))
    if paid is None:
        return of_day(since, [frame_of([])])
    zone = ZoneInfo(studio.settings.costs.time_zone)
    first, last = (moment.astimezone(zone).date() for moment in paid)
    return joined([compute_day(studio, day, whose) for day in days(first, last)])


def details(
    studio: Studio, since: date, until: date, whose: Asked, detail: Detail
) -> "Iterator[pd.DataFrame]":
    """Each shot, or each take, of a period, some at a time, however many there are."""
    for rows in spending(studio.ledger, whose, *bounds(studio, since, until), detail=detail):
        yield described(frame_of(rows, detail))
