"""`wan idle`: reserved GPUs that nobody used."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer

from wan_pipelines.cli.days import day_option
from wan_pipelines.cli.output import AsJson, console, emit, examples, note
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.idle import IdleDay, idle_days
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR, dollars, usd
from wan_pipelines.studio.fleets import charge_idle_days

COLUMNS = (
    Column("day", "Day (UTC)"),
    Column("fleet", "Fleet"),
    Column("gpu_class", "GPU class"),
    Column("reserved_gpu_hours", "Reserved h", numeric=True),
    Column("held_gpu_hours", "Held h", numeric=True),
    Column("idle_gpu_hours", "Idle h", numeric=True),
    Column("idle_percent", "Idle %", numeric=True),
    Column("reserved_usd", "Reserved USD", numeric=True),
    Column("idle_usd", "Idle USD", numeric=True),
)
WEEK = timedelta(days=7)

Day = Annotated[date | None, day_option(about="A day (UTC), such as 2026-11-01.")]

group = typer.Typer(
    help="Reserved GPUs that no worker held; `charge` charges days that are over.",
    invoke_without_command=True,
    epilog=examples(
        "wan idle",
        "wan idle --first 2026-11-01 --last 2026-11-30 --json",
        "wan idle charge --first 2026-11-01 --last 2026-11-30",
    ),
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="idle")


@group.callback()
def idle(
    context: typer.Context, first: Day = None, last: Day = None, as_json: AsJson = False
) -> None:
    """Show the idle account by day and fleet: the last week, unless it is said which days."""
    if context.invoked_subcommand:
        return
    end = last or datetime.now(UTC).date()
    begin = first or end - WEEK
    _check_order(begin, end)
    found = idle_days(this_studio().ledger, begin, end)
    _show(found, as_json=as_json, empty="Nothing was reserved on these days, or not charged yet.")


@group.command()
def charge(first: Day = None, last: Day = None, as_json: AsJson = False) -> None:
    """Charge or revise the idle time of days that are over: the last 35, unless it is said which.

    The schedule `ledger_night_schedule` does so every night. What was charged already and is still
    right stays as it is.
    """
    if first and last:
        _check_order(first, last)
    _check_over(first, last)
    changed = charge_idle_days(this_studio(), first, last)
    _show(changed, as_json=as_json, empty="The idle account is up to date.")


def _check_order(first: date, last: date) -> None:
    if first > last:
        raise InputError(
            f"{first} is after {last}.",
            where="wan idle",
            remedy="Give a --first that is not after --last.",
        )


def _check_over(first: date | None, last: date | None) -> None:
    """InputError for a day that is not over: nobody knows yet what is idle of it."""
    today = datetime.now(UTC).date()
    for day in (first, last):
        if day and day >= today:
            raise InputError(
                f"{day} is not over (UTC).",
                where="wan idle charge",
                remedy=f"The last day that can be charged is {today - timedelta(days=1)}.",
            )


def _show(days: Sequence[IdleDay], *, as_json: bool, empty: str) -> None:
    emit(list(map(_record, days)), COLUMNS, as_json=as_json, empty=empty)
    if days and not as_json:
        total = sum(each.usage.idle_micro_usd for each in days)
        console().print(f"\nIdle {dollars(total)}.")
        revised = sum(1 for each in days if each.revisions)
        if revised:
            note(f"{revised} of these days were revised when more was known.")


def _record(each: IdleDay) -> dict[str, Any]:
    usage = each.usage
    reserved, unused = usage.reserved_gpu_microseconds, usage.idle_gpu_microseconds
    return {
        "day": f"{each.day}",
        "fleet": each.fleet,
        "gpu_class": each.gpu_class,
        "reserved_gpu_hours": _hours(reserved),
        "held_gpu_hours": _hours(reserved - unused),
        "idle_gpu_hours": _hours(unused),
        "idle_percent": round(100 * unused / reserved, 1) if reserved else 0.0,
        "reserved_usd": usd(usage.reserved_micro_usd),
        "idle_usd": usd(usage.idle_micro_usd),
        "idle_micro_usd": usage.idle_micro_usd,
        "revisions": each.revisions,
    }


def _hours(gpu_microseconds: int) -> float:
    return round(gpu_microseconds / MICROSECONDS_PER_HOUR, 3)
