"""`wan budget`: what may be spent, what is gone of it, and what was told about that."""

from datetime import UTC, datetime
from typing import Any

import typer

from wan_pipelines.cli.output import AsJson, emit, examples, note
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.ledger.budget_notices import BudgetNotice, notices
from wan_pipelines.ledger.budgets import BudgetStanding
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.budgets import standings

COLUMNS = (
    Column("tenant", "Tenant"),
    Column("of", "Budget of"),
    Column("month", "Month"),
    Column("budget_usd", "USD", numeric=True),
    Column("paid_usd", "Paid", numeric=True),
    Column("reserved_usd", "Reserved", numeric=True),
    Column("left_usd", "Left", numeric=True),
    Column("used_percent", "Used %", numeric=True),
    Column("reached", "Reached"),
)
NOTICES = (
    Column("noted_at", "When (UTC)"),
    Column("tenant", "Tenant"),
    Column("action", "Action"),
    Column("told", "What", beneath=True),
)
NONE = (
    "Nothing has a budget. Give a brief `budget_usd` or `budget_per_month`, or a tenant "
    "`budget_per_month`."
)

group = typer.Typer(
    help="What may be spent, and what is gone of it.",
    invoke_without_command=True,
    epilog=examples(
        "wan budget --tenant demo",
        "wan budget --all-tenants --json",
        "wan budget notices --tenant demo",
    ),
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="budget")


@group.callback()
def budget(
    context: typer.Context,
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    as_json: AsJson = False,
) -> None:
    """Show what was paid and what is reserved of each budget, and what is left.

    Budgets of editions are shown for five weeks after their last launch.
    """
    if context.invoked_subcommand:
        return
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    found = standings(studio.ledger, whose, datetime.now(UTC))
    emit([_record(each) for each in found], COLUMNS, as_json=as_json, empty=NONE)
    gone = [each.whose for each in found if not each.may_begin]
    if gone and not as_json:
        note(f"Used up: {', '.join(gone)}.", "yellow")


@group.command("notices")
def show_notices(
    tenant: TenantName = None, all_tenants: AllTenants = False, as_json: AsJson = False
) -> None:
    """List which parts of budgets were reached when: each is told once a month, or for good."""
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    tenants = sorted(studio.settings.tenants) if isinstance(whose, House) else [whose]
    found = [_notice(each) for name in tenants for each in notices(studio.ledger, name)]
    emit(found, NOTICES, as_json=as_json, empty="No part of a budget was reached yet.")


def _record(standing: BudgetStanding) -> dict[str, Any]:
    key, budget = standing.key, standing.budget
    return {
        "tenant": key.tenant,
        "campaign": key.campaign or None,
        "edition": key.edition or None,
        "of": key.told,
        "month": standing.month or None,
        "budget_usd": usd(budget.whole),
        "paid_usd": usd(standing.paid),
        "reserved_usd": usd(standing.reserved),
        "left_usd": None if standing.left is None else usd(standing.left),
        "used_percent": round(100 * standing.used / budget.whole, 1),
        "reached": ", ".join(f"{action} at {usd(at)}" for action, at in standing.reached) or None,
        "resets_at": standing.resets_at if standing.window else None,
    }


def _notice(found: BudgetNotice) -> dict[str, Any]:
    return {
        "noted_at": found.noted_at,
        "tenant": found.key.tenant,
        "campaign": found.key.campaign or None,
        "edition": found.key.edition or None,
        "month": found.month or None,
        "action": found.action,
        "at_usd": usd(found.at),
        "told": found.told,
    }
