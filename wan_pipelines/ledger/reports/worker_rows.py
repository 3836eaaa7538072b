"""The workers that are paid at the moment: where each is, and when it was last heard of."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros, seconds_of
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, TakeRow, WorkerRow
from wan_pipelines.ledger.whose import Asked, tenant_of


@dataclass(frozen=True, slots=True)
class WorkingWorker:
    """A worker; `shot` and the steps are None while it loads, waits or encodes.

    `last_step_age_seconds` is how long ago its last step was at its last sign of life.
    """

    tenant: str
    campaign: str | None
    edition: str | None
    run_id: str
    step_key: str
    host: str
    pid: int
    gpu_class: str
    shot: str | None
    step: int | None
    steps: int | None
    last_step_age_seconds: float | None
    started_at: datetime
    heartbeat_at: datetime


def working_workers(ledger: Ledger, whose: Asked) -> tuple[WorkingWorker, ...]:
    """Those that have not ended, of one tenant or of all, the longest at work first."""
    tenant = tenant_of(whose)
    shot = (
        select(func.min(EditionShotRow.name))
        .join(TakeRow, TakeRow.shot_id == EditionShotRow.shot_id)
        .where(TakeRow.id == WorkerRow.at_take, EditionShotRow.edition_id == WorkerRow.edition_id)
        .scalar_subquery()
    )
    query = (
        select(WorkerRow, EditionRow.campaign, EditionRow.edition, shot)
        .outerjoin(EditionRow, EditionRow.id == WorkerRow.edition_id)
        .where(WorkerRow.ended_at.is_(None))
        .order_by(WorkerRow.started_at, WorkerRow.id)
    )
    if tenant is not None:
        query = query.where(WorkerRow.tenant == tenant)
    with ledger.read(whose) as session:
        return tuple(_worker(*row) for row in session.execute(query))


def _worker(
    row: WorkerRow, campaign: str | None, edition: str | None, shot: str | None
) -> WorkingWorker:
    since = row.stepped_at
    return WorkingWorker(
        tenant=row.tenant,
        campaign=campaign,
        edition=edition,
        run_id=row.run_id,
        step_key=row.step_key,
        host=row.host,
        pid=row.pid,
        gpu_class=row.gpu_class,
        shot=shot,
        step=row.at_step,
        steps=row.of_steps,
        last_step_age_seconds=None
        if since is None
        else seconds_of(max(0, row.heartbeat_at - since)),
        started_at=from_micros(row.started_at),
        heartbeat_at=from_micros(row.heartbeat_at),
    )
