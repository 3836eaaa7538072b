"""The pages of costs, from the days that were reported into the store."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from wan_pipelines.ledger.money import micro_usd
from wan_pipelines.pages.costs import (
    CostsView,
    Day,
    Parts,
    Ranking,
    Row,
    Spent,
    TargetLine,
    quotient,
)
from wan_pipelines.pages.render import render_costs_page
from wan_pipelines.reporting.frames import DAY, SHAPE, TALLIES, UNUSED
from wan_pipelines.reporting.summary import records, summed
from wan_pipelines.storage.keys import tenant_page_key
from wan_pipelines.studio.cost_reports import compute_day, days, joined, kept_period, today
from wan_pipelines.studio.cost_settings import CostSettings, CostTarget
from wan_pipelines.studio.cost_targets import shared
from wan_pipelines.studio.page import COSTS, link_costs
from wan_pipelines.studio.studio import Studio

if TYPE_CHECKING:
    import pandas as pd

EARLIER = timedelta(days=29)
MOST_ROWS = 10
RANKINGS = (
    ("Tenants", "Who asked for the videos.", ("tenant",)),
    ("Campaigns", "What the videos were for.", ("campaign", "tenant")),
    ("People", "Who launched them.", ("user", "tenant")),
    ("Models and quality", "What drew the videos, and how thoroughly.", ("release", "tier")),
    ("Machines", "What was rented, and how.", ("gpu_class", "market")),
    ("Sizes", "Width, height and number of frames.", (SHAPE,)),
)
HEADINGS = {"gpu_class": "GPU class", "shape": "Size"}


def write_cost_pages(studio: Studio) -> str:
    """Bring the page of all tenants and that of each up to date; returns the key of the former.

    They show 30 days up to today. Today is computed; other days are as they were reported, and
    computed where they were not.
    """
    last = today(studio)
    earlier = kept_period(studio, last - EARLIER, last - timedelta(days=1))
    frame = joined([earlier, compute_day(studio, last)])
    since = last - EARLIER
    for tenant in sorted(set(frame["tenant"]) - {""}):
        own = frame.loc[frame["tenant"] == tenant]
        view = costs_view(studio, own, since, last, tenant)
        key = tenant_page_key(tenant, COSTS)
        is_new = studio.store.stat(key) is None
        studio.store.put_bytes(key, render_costs_page(view).encode())
        if is_new:
            link_costs(studio, tenant)
    page = f"reports/{COSTS}"
    view = costs_view(studio, frame, since, last)
    studio.store.put_bytes(page, render_costs_page(view).encode())
    return page


def costs_view(
    studio: Studio, frame: "pd.DataFrame", since: date, until: date, tenant: str = ""
) -> CostsView:
    """What the page shows of a frame of days."""
    by_day = {row[DAY]: _spent(row) for row in records(summed(frame, [DAY]))}
    nothing = _spent(dict.fromkeys(TALLIES, 0))
    rankings = RANKINGS[1:] if tenant else RANKINGS
    return CostsView(
        tenant=tenant,
        generated_at=datetime.now(UTC),
        time_zone=studio.settings.costs.time_zone,
        total=_spent(records(summed(frame, []))[0]),
        days=tuple(Day(day, by_day.get(day.isoformat(), nothing)) for day in days(since, until)),
        rankings=tuple(
            _ranking(frame, title, about, [name for name in by if name != "tenant" or not tenant])
            for title, about, by in rankings
        ),
        targets=target_lines(frame, studio.settings.costs),
    )


def target_lines(frame: "pd.DataFrame", settings: CostSettings) -> tuple[TargetLine, ...]:
    """What videos came to on average, target by target, with their part of what workers were paid
    that rendered nothing.
    """
    sums = records(summed(frame, ["release", "tier", SHAPE]))
    rows = [row for row in sums if row[SHAPE]]
    nobodys = sum(row["micro_usd"] - row[UNUSED] for row in sums if not row[SHAPE])
    own = [row["micro_usd"] for row in rows]
    videos: Counter[CostTarget] = Counter()
    paid: Counter[CostTarget] = Counter()
    for row, share in zip(rows, shared(nobodys, own), strict=True):
        target = settings.target(
            release=row["release"], tier=row["tier"], lines=lines_of(row[SHAPE])
        )
        if target:
            videos[target] += row["videos"]
            paid[target] += row["micro_usd"] + share
    return tuple(
        TargetLine(
            each.name,
            micro_usd(each.usd_per_video),
            videos[each],
            quotient(paid[each], videos[each]),
        )
        for each in settings.targets
    )


def lines_of(shape: str) -> int:
    """The shorter side of a shape such as 1280x720x81."""
    width, height, _ = map(int, shape.split("x"))
    return min(width, height)


def _ranking(frame: "pd.DataFrame", title: str, about: str, by: Sequence[str]) -> Ranking:
    sums = records(summed(frame, by))
    rows = tuple(Row(tuple(row[name] for name in by), _spent(row)) for row in sums)
    left_out = rows[MOST_ROWS:]
    return Ranking(
        title=title,
        about=about,
        columns=tuple(HEADINGS.get(name, name.capitalize()) for name in by),
        rows=rows[:MOST_ROWS],
        left_out=len(left_out),
        rest_micro_usd=sum(row.spent.micro_usd for row in left_out),
    )


def _spent(sums: dict[str, Any]) -> Spent:
    return Spent(
        videos=int(sums["videos"]),
        takes=int(sums["takes"]),
        gpu_microseconds=int(sums["gpu_microseconds"]),
        micro_usd=int(sums["micro_usd"]),
        parts=Parts(
            rendered=int(sums["rendered_micro_usd"]),
            loaded=int(sums["loaded_micro_usd"]),
            waited=int(sums["waited_micro_usd"]),
            wasted=int(sums["wasted_micro_usd"]),
            unused=int(sums[UNUSED]),
        ),
        retried_micro_usd=int(sums["retried_micro_usd"]),
        degraded_micro_usd=int(sums["degraded_micro_usd"]),
    )
