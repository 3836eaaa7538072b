"""`wan report`: what a period cost, by whatever one asks for."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from wan_pipelines.cli.days import day_option
from wan_pipelines.cli.output import AsJson, console, emit, examples, note
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports.spending_rows import Detail
from wan_pipelines.ledger.whose import Asked
from wan_pipelines.reporting.files import write_csv, write_parquet
from wan_pipelines.reporting.frames import Dimension
from wan_pipelines.reporting.summary import described, records, summed, total
from wan_pipelines.storage.atomic import atomic_write
from wan_pipelines.studio.cost_pages import write_cost_pages
from wan_pipelines.studio.cost_reports import details, period, today
from wan_pipelines.studio.studio import Studio

if TYPE_CHECKING:
    import pandas as pd

DETAILS: dict[str, Detail] = {"shot": "shot", "video": "take"}
"""What reports hold one row of each, and which rows of the ledger those are."""
CHOICES = (*get_args(Dimension), *DETAILS)
DAYS = timedelta(days=29)
MOST_ROWS = 1000

HEADINGS = {"gpu_class": "GPU class"}
FIGURES = (
    Column("videos", "Videos", numeric=True),
    Column("usd", "USD", numeric=True),
    Column("gpu_hours", "GPU-h", numeric=True),
    Column("usd_per_1000", "USD/1000", numeric=True),
    Column("gpu_hours_per_1000", "GPU-h/1000", numeric=True),
    Column("wasted_share", "Wasted", numeric=True),
    Column("retried_share", "Retried", numeric=True),
    Column("degraded_share", "Degraded", numeric=True),
    Column("load_share", "Load", numeric=True),
    Column("idle_share", "Idle", numeric=True),
)


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples(
            "wan report",
            "wan report --all-tenants --by tenant,tier --from 2026-11-01 --to 2026-11-30",
            "wan report --by day --tenant demo --json",
            "wan report --by video --csv videos.csv     one row a take, however many",
            "wan report --page                          brings the pages of costs up to date",
        )
    )(report)


def report(  # noqa: PLR0913, PLR0917 (a command line has as many options as it has)
    since: Annotated[
        date | None, day_option("--from", about="First day; else 30 days in all.")
    ] = None,
    until: Annotated[date | None, day_option("--to", about="Last day; else today.")] = None,
    by: Annotated[str, typer.Option(help=f"Some of: {', '.join(CHOICES)}.")] = "campaign",
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    csv: Annotated[Path | None, typer.Option(help="Write the rows into this file.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="The same, as Parquet.")] = None,
    page: Annotated[bool, typer.Option("--page", help="Write the pages of costs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what days cost: per thousand videos, and how much was wasted, retried, idle.

    Wasted, retried, degraded, load and idle are shares of all that was paid. They overlap: a worker
    that loaded an engine and rendered nothing is load, and wasted.
    """
    columns = _columns(by)
    studio = this_studio()
    last = until or today(studio)
    first = since or last - DAYS
    if first > last:
        raise InputError(
            f"{first} is after {last}.", where="wan report", remedy="Swap --from and --to."
        )
    whose = asked(studio, tenant, all_tenants=all_tenants)
    rows = _rows(studio, first, last, whose, columns)
    if csv:
        _write(csv, rows(), write_csv)
    if parquet:
        _write(parquet, rows(), write_parquet)
    if page:
        note(studio.store.link(write_cost_pages(studio)))
    if not (csv or parquet or page) or as_json:
        _show(rows(), columns, as_json=as_json)


def _columns(by: str) -> list[str]:
    columns = [name.strip().replace("-", "_") for name in by.split(",")]
    for name in columns:
        if name not in CHOICES:
            raise InputError(
                f"nothing can be summed by {name!r}.",
                where="--by",
                remedy=did_you_mean(name, CHOICES),
            )
    if len(columns) > 1 and DETAILS.keys() & set(columns):
        raise InputError(
            "a shot or a video is a row of its own.",
            where="--by",
            remedy="Name it alone: its campaign, tier and all else stand beside it.",
        )
    return columns


def _rows(
    studio: Studio, first: date, last: date, whose: Asked, columns: list[str]
) -> "Callable[[], Iterable[pd.DataFrame]]":
    """Asks for the rows, some at a time."""
    detail = DETAILS.get(columns[0])
    if detail:
        return lambda: details(studio, first, last, whose, detail)
    return lambda: [described(summed(period(studio, first, last, whose), columns))]


def _write(
    path: Path,
    frames: "Iterable[pd.DataFrame]",
    write: "Callable[[Iterable[pd.DataFrame], Any], None]",
) -> None:
    with atomic_write(path.resolve()) as draft:
        write(frames, draft)
    note(path.resolve().as_uri())


def _show(frames: "Iterable[pd.DataFrame]", columns: Sequence[str], *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = []
    paid = 0
    for frame in frames:
        paid += total(frame)
        rows += records(frame)
    if as_json:
        exact = [{**row, "usd": Decimal(row["usd"])} for row in rows]
        emit(exact, (), as_json=True, empty="")
        return
    told = [{**record, **_percent(record)} for record in rows[:MOST_ROWS]]
    names = ("campaign", "edition", "shot") if columns[0] in DETAILS else columns
    headings = [Column(name, HEADINGS.get(name, name.capitalize())) for name in names]
    emit(told, (*headings, *FIGURES), as_json=False, empty="Nothing was paid in these days.")
    if rows:
        left_out = len(rows) - MOST_ROWS
        more = f" {left_out:,} rows are left out: --csv has all." if left_out > 0 else ""
        console().print(f"\n${usd(paid)} in all.{more}")


def _percent(record: dict[str, Any]) -> dict[str, Any]:
    shown = {name: f"{record[name]:.1%}" for name in record if name.endswith("_share")}
    per = {
        name: None if record[name] is None else f"{record[name]:,.4f}"
        for name in ("usd_per_1000", "gpu_hours", "gpu_hours_per_1000")
    }
    return shown | per
