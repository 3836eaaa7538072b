"""`wan quota`: what a user may still render today."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from wan_pipelines.cli.output import AsJson, emit, examples
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.studio.quotas import quotas

COLUMNS = (
    Column("tenant", "Tenant"),
    Column("user", "User"),
    Column("plan", "Plan"),
    Column("day", "Day"),
    Column("used", "Used", numeric=True),
    Column("limit", "Limit", numeric=True),
    Column("left", "Left", numeric=True),
    Column("resets_at", "Resets (UTC)"),
)


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples("wan quota", "wan quota --tenant demo --user mira", "wan quota --json")
    )(quota)


def quota(
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant.")] = None,
    user: Annotated[str | None, typer.Option(help="Only of this user.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what users have used today, what is left, and when it resets.

    Where there is no limit, none is shown.
    """
    found = quotas(this_studio(), tenant, user, datetime.now(UTC))
    records = [asdict(each) for each in found]
    nothing = "Nobody has asked for a video yet: name a user with --user to see the plan's limit."
    emit(records, COLUMNS, as_json=as_json, empty=nothing)
