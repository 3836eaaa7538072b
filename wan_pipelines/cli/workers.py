"""`wan workers`: who renders what at the moment, and whether it gets on."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer

from wan_pipelines.cli.output import AsJson, emit, examples
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.ledger.reports import WorkingWorker, working_workers

COLUMNS = (
    Column("worker", "Worker"),
    Column("campaign", "Campaign"),
    Column("edition", "Edition"),
    Column("shot", "Shot"),
    Column("progress", "Step"),
    Column("last_step", "Last step", numeric=True),
    Column("heard", "Heard of", numeric=True),
)


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("wan workers", "wan workers --all-tenants --json"))(workers)


def workers(
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    as_json: AsJson = False,
) -> None:
    """Show the workers that are paid now: shot, step, how old the last step was when last heard of.

    A worker between two shots, or one that loads its engine, has no shot.
    """
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    found = working_workers(studio.ledger, whose)
    records = [asdict(each) if as_json else _row(each, datetime.now(UTC)) for each in found]
    emit(records, COLUMNS, as_json=as_json, empty="No worker is paid at the moment.")


def _row(worker: WorkingWorker, now: datetime) -> dict[str, Any]:
    age = worker.last_step_age_seconds
    return {
        "worker": f"{worker.host}:{worker.pid}",
        "campaign": worker.campaign,
        "edition": worker.edition,
        "shot": worker.shot,
        "progress": None if worker.step is None else f"{worker.step} of {worker.steps}",
        "last_step": None if age is None else f"{age:.0f} s ago",
        "heard": f"{(now - worker.heartbeat_at).total_seconds():.0f} s ago",
    }
