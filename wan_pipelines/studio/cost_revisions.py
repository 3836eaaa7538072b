"""Which days are to be reported: those whose report is not what the ledger says by now."""

from collections import Counter
from datetime import date, timedelta

from wan_pipelines.ledger.postings import PostingAccount
from wan_pipelines.ledger.reports.spending_rows import posted
from wan_pipelines.reporting.files import parquet_sums
from wan_pipelines.reporting.frames import UNUSED
from wan_pipelines.studio.cost_reports import OPERATOR, bounds, days, parquet_key
from wan_pipelines.studio.fleets import REVISED_DAYS
from wan_pipelines.studio.studio import Studio

PAID, RENDERED = "micro_usd", "rendered_micro_usd"


def days_to_report(studio: Studio, last: date) -> tuple[date, ...]:
    """Of the last `REVISED_DAYS` days up to that one: those whose report is missing or stale.

    A report is stale where videos, overheads or idle GPUs come to something else now: nothing is
    computed but these sums. A day on which nothing was paid is reported while it is the last.
    """
    first = max(studio.settings.costs.since, last - timedelta(days=REVISED_DAYS - 1))
    return tuple(day for day in days(first, last) if _is_due(studio, day, last))


def _is_due(studio: Studio, day: date, last: date) -> bool:
    kept = _kept(studio, day)
    if kept is None and day == last:
        return True
    return posted(studio.ledger, OPERATOR, *bounds(studio, day, day)) != (kept or Counter())


def _kept(studio: Studio, day: date) -> Counter[PostingAccount] | None:
    """What accounts come to in the report of a day, if there is one."""
    key = parquet_key(day)
    if studio.store.stat(key) is None:
        return None
    sums = parquet_sums(studio.store.read_bytes(key), (PAID, RENDERED, UNUSED))
    video, idle = sums[RENDERED], sums[UNUSED]
    found: dict[PostingAccount, int] = {
        "video": video,
        "overhead": sums[PAID] - video - idle,
        "idle": idle,
    }
    return Counter(found)
