"""`wan line`: which shards render, and which wait for their turn."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer

from wan_pipelines.cli.output import AsJson, emit, examples
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.ledger.turn_records import TurnInLine
from wan_pipelines.ledger.turns import line as line_in_ledger
from wan_pipelines.pages.formats import seconds

COLUMNS = (
    Column("tenant", "Tenant"),
    Column("campaign", "Campaign"),
    Column("edition", "Edition"),
    Column("shard", "Shard"),
    Column("where", "Where"),
    Column("since", "Since", numeric=True),
    Column("expected", "Takes about", numeric=True),
    Column("due", "Due in", numeric=True),
)


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("wan line", "wan line --all-tenants --json"))(line)


def line(
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    as_json: AsJson = False,
) -> None:
    """Show the shards that have their turn at the GPUs, and those that wait for it."""
    studio, now = this_studio(), datetime.now(UTC)
    whose = asked(studio, tenant, all_tenants=all_tenants)
    found = line_in_ledger(studio.ledger, whose, now=now)
    records = [asdict(each) if as_json else _row(each, now) for each in found]
    emit(records, COLUMNS, as_json=as_json, empty="No shard renders or waits at the moment.")


def _row(turn: TurnInLine, now: datetime) -> dict[str, Any]:
    places = " or ".join(turn.gpu_classes)
    return {
        "tenant": turn.tenant,
        "campaign": turn.campaign,
        "edition": turn.edition,
        "shard": turn.shard,
        "where": f"on {turn.gpu_class}" if turn.gpu_class else f"waits for {places}",
        "since": seconds((now - (turn.began_at or turn.asked_at)).total_seconds()),
        "expected": seconds(turn.gpu_seconds),
        "due": turn.due_at and _ahead((turn.due_at - now).total_seconds()),
    }


def _ahead(left: float) -> str:
    return seconds(left) if left > 0 else "overdue"
