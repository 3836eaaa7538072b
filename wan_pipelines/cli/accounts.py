"""`wan quota`: what may still be rendered, and who may render more."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from wan_pipelines.cli.days import day_option
from wan_pipelines.cli.decisions import DryRun, Why, whoever
from wan_pipelines.cli.output import AsJson, emit, examples, note, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.amounts import Measure, told
from wan_pipelines.ledger.limit_changes import change_limit, limit_changes
from wan_pipelines.ledger.limits import PER, ChangeKind, Limit, LimitChange, Scope
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR, micro_usd, usd
from wan_pipelines.ledger.quotas import quotas_left
from wan_pipelines.ledger.remainders import QuotaLeft
from wan_pipelines.studio.plan_settings import MOST, microseconds_of
from wan_pipelines.studio.quotas import is_low, quotas
from wan_pipelines.studio.studio import Studio

Unit = Literal["shots", "gpu_hours", "usd"]
Per = Literal["user-day", "day", "month"]

COLUMNS = (
    Column("tenant", "Tenant"),
    Column("user", "User"),
    Column("plan", "Plan"),
    Column("day", "Day"),
    Column("used", "Used", numeric=True),
    Column("limit", "Limit", numeric=True),
    Column("left", "Left", numeric=True),
    Column("unit", "Of"),
    Column("per", "Per"),
    Column("resets_at", "Resets (UTC)"),
)
CHANGES = (
    Column("decided_at", "When (UTC)"),
    Column("tenant", "Tenant"),
    Column("user", "User"),
    Column("change", "Change"),
    Column("expires_at", "Until (UTC)"),
    Column("decided_by", "By"),
    Column("reason", "Why", beneath=True),
)
UNITS: dict[Measure, Unit] = {"shots": "shots", "gpu_microseconds": "gpu_hours", "micro_usd": "usd"}
SCOPES: dict[Per, Scope] = {"user-day": "user_day", "day": "tenant_day", "month": "tenant_month"}
WINDOWS: dict[Scope, Per] = {scope: per for per, scope in SCOPES.items()}
MEASURES: dict[Unit, Measure] = {unit: measure for measure, unit in UNITS.items()}
UNLIMITED = "unlimited"

OfTenant = Annotated[str, typer.Argument(help="Whose limit.", show_default=False)]
HowMuch = Annotated[str, typer.Argument(metavar="AMOUNT", help="How much, such as 2.5.")]
OfWhat = Annotated[Unit, typer.Argument(help="Of what: gpu_hours are hours of one GPU.")]
ForUser = Annotated[str | None, typer.Option("--user", help="Only of this user.")]
PerWhat = Annotated[
    Per, typer.Option("--per", help="A user's day, or the day or month of all users together.")
]
Until = Annotated[date | None, day_option(about="The last day on which it holds, for the tenant.")]

group = typer.Typer(
    help="What may still be rendered; `set` and `grant` change that.",
    invoke_without_command=True,
    epilog=examples(
        "wan quota",
        "wan quota --tenant demo --user mira",
        "wan quota --json",
        'wan quota grant demo 50 usd --per month --until 2026-12-31 --reason "launch week"',
        'wan quota set demo 20 shots --user mira --reason "trainee"',
        "wan quota changes demo",
    ),
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="quota")


@group.callback()
def quota(
    context: typer.Context,
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    user: Annotated[str | None, typer.Option(help="Only of this user.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is used of each limit, what is left, and when it resets.

    Where there is no limit, none is shown.
    """
    if context.invoked_subcommand:
        return
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    found = quotas(studio, whose, user, datetime.now(UTC))
    nothing = "Nobody has asked for a video yet: name a user with --user to see the plan's limit."
    emit([_record(studio, each) for each in found], COLUMNS, as_json=as_json, empty=nothing)
    low = [each for each in found if is_low(studio, each)]
    if low and not as_json:
        note(f"Nearly or wholly used up: {'; '.join(map(_told, low))}.", "yellow")


def _deciding(kind: ChangeKind, help_: str) -> None:
    """A command that decides about a limit."""

    @group.command(kind, help=help_)
    def decide(  # noqa: PLR0913, PLR0917 (an option each)
        tenant: OfTenant,
        amount: HowMuch,
        unit: OfWhat,
        reason: Why,
        per: PerWhat = "user-day",
        user: ForUser = None,
        until: Until = None,
        dry_run: DryRun = False,
        as_json: AsJson = False,
    ) -> None:
        taken_away = kind == "set" and amount == UNLIMITED
        studio, now = this_studio(), datetime.now(UTC)
        change = LimitChange(
            tenant=tenant,
            user=user,
            scope=SCOPES[per],
            measure=MEASURES[unit],
            kind=kind,
            amount=None if taken_away else _amount(amount, unit),
            starts_at=now,
            expires_at=_end_of(studio, tenant, until),
            reason=reason,
            decided_by=whoever(),
            decided_at=now,
        )
        _decide(studio, change, dry_run=dry_run, as_json=as_json)


_deciding(
    "set",
    "Put a limit in the place of the plan's, for good or until a day. Who did is kept.\n\n"
    "`unlimited` instead of a number takes the limit away.",
)
_deciding("grant", "Add to a limit, for good or until a day: a top-up. Who did is kept.")


@group.command()
def changes(tenant: OfTenant, as_json: AsJson = False) -> None:
    """List who changed a tenant's limits, when, until when and why."""
    studio = this_studio()
    studio.settings.tenant(tenant)
    found = [_decision(change) for change in limit_changes(studio.ledger, tenant)]
    emit(found, CHANGES, as_json=as_json, empty=f"Nobody has changed a limit of {tenant}.")


def _decide(studio: Studio, change: LimitChange, *, dry_run: bool, as_json: bool) -> None:
    change_limit(studio.ledger, change, dry_run=dry_run)
    if as_json:
        print_json({**_decision(change), "changed": not dry_run})
        return
    would = "Would be decided" if dry_run else "Decided"
    last = ""
    if change.expires_at:
        zone = ZoneInfo(studio.settings.tenant(change.tenant).time_zone)
        last = f" until {(change.expires_at - timedelta(seconds=1)).astimezone(zone):%Y-%m-%d}"
    note(f"{would} for {change.user or change.tenant}: {_decision(change)['change']}{last}.")
    if change.kind == "grant" and not _binds(studio, change):
        note(
            "There is no such limit to add to: it counts once the plan or `set` makes one.",
            "yellow",
        )


def _binds(studio: Studio, change: LimitChange) -> bool:
    """Is there the limit that a change is about?"""
    found = quotas_left(studio.ledger, change.tenant, change.user or "", now=change.decided_at)
    return any(
        quota.limit is not None and (quota.scope, quota.measure) == (change.scope, change.measure)
        for quota in found
    )


def _end_of(studio: Studio, tenant: str, until: date | None) -> datetime | None:
    """The end of a day where the tenant is."""
    zone = ZoneInfo(studio.settings.tenant(tenant).time_zone)
    if until is None:
        return None
    return datetime.combine(until + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)


def _amount(text: str, unit: Unit) -> int:
    """In the ledger's units; of no more digits than money has."""
    problem = InputError(
        f"{text!r} is no amount of {unit}.",
        where="AMOUNT",
        remedy="Write a number from 0 on, a whole one of shots; `set` also takes `unlimited`.",
    )
    try:
        number = Decimal(text)
    except ArithmeticError as error:
        raise problem from error
    digits = 0 if unit == "shots" else 6
    if not number.is_finite() or not 0 <= number <= MOST or number != round(number, digits):
        raise problem
    match unit:
        case "shots":
            return int(number)
        case "gpu_hours":
            return microseconds_of(number)
        case "usd":
            return micro_usd(number)


def _record(studio: Studio, quota: QuotaLeft) -> dict[str, Any]:
    return {
        "tenant": quota.tenant,
        "user": quota.user or None,
        "plan": quota.plan,
        "day": quota.day,
        "time_zone": quota.time_zone,
        "unit": UNITS[quota.measure],
        "per": WINDOWS[quota.scope],
        "limit": _shown(quota.measure, quota.limit),
        "used": _shown(quota.measure, quota.used),
        "left": _shown(quota.measure, quota.left),
        "low": is_low(studio, quota),
        "resets_at": quota.resets_at,
    }


def _shown(measure: Measure, value: int | None) -> int | Decimal | None:
    if value is None or measure == "shots":
        return value
    if measure == "micro_usd":
        return usd(value)
    return round(Decimal(value) / MICROSECONDS_PER_HOUR, 6)


def _told(quota: QuotaLeft) -> str:
    left = told(quota.measure, quota.left or 0)
    return f"{quota.whose}, {left} left {PER[quota.scope]}"


def _decision(change: LimitChange) -> dict[str, Any]:
    limit = Limit(change.scope, change.measure, change.amount)
    words = f"{limit.amount} {'more ' if change.kind == 'grant' else ''}{PER[change.scope]}"
    return {
        "decided_at": change.decided_at,
        "tenant": change.tenant,
        "user": change.user,
        "kind": change.kind,
        "unit": UNITS[change.measure],
        "per": WINDOWS[change.scope],
        "amount": _shown(change.measure, change.amount),
        "change": words,
        "expires_at": change.expires_at,
        "decided_by": change.decided_by,
        "reason": change.reason,
    }
