"""`wan quota`: what a user may still render today."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from wan_pipelines.cli.output import AsJson, Column, emit
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.tenants import users_of


def register(app: typer.Typer) -> None:
    app.command()(quota)


def quota(
    tenant: Annotated[str | None, typer.Option(help="Only of this tenant.")] = None,
    user: Annotated[str | None, typer.Option(help="Only of this user.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what users have used today, what is left, and when it resets."""
    studio = this_studio()
    now = datetime.now(UTC)
    tenants = [tenant] if tenant else sorted(studio.settings.tenants)
    records = []
    for name in tenants:
        studio.settings.tenant(name)
        for one in users_of(studio.ledger, name):
            if user in (None, one):
                left = quota_left(studio.ledger, name, one, now=now)
                records.append(
                    {
                        "tenant": name,
                        "user": one,
                        "plan": left.plan,
                        "day": left.day,
                        "limit": left.limit,
                        "used": left.used,
                        "left": left.left,
                        "resets_at": left.resets_at,
                    }
                )
    columns = (
        Column("tenant", "Tenant"),
        Column("user", "User"),
        Column("plan", "Plan"),
        Column("day", "Day"),
        Column("used", "Used", numeric=True),
        Column("limit", "Limit", numeric=True),
        Column("left", "Left", numeric=True),
        Column("resets_at", "Resets (UTC)"),
    )
    emit(records, columns, as_json=as_json, empty="Nobody has asked for a video yet.")
