"""The ledger as a whole in figures, for a monitor that asks every few seconds."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, literal_column, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import seconds_of, to_micros
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, TakeRow, WorkerRow
from wan_pipelines.ledger.whose import House


@dataclass(frozen=True, slots=True)
class TakeCount:
    """How many takes of a release on a GPU class have that outcome; one that runs has no release
    yet.
    """

    release: str
    gpu_class: str
    outcome: str
    takes: int


@dataclass(frozen=True, slots=True)
class ClassGauges:
    """The workers of a GPU class: all that were ever paid, those that are open, and of these the
    longest silence and the oldest step, in seconds; 0 where there are none.
    """

    gpu_class: str
    paid_micro_usd: int
    workers: int
    longest_silence_seconds: float
    oldest_step_seconds: float


@dataclass(frozen=True, slots=True)
class LedgerGauges:
    """`waiting_shots` by tenant: admitted, and without an accepted take."""

    takes: tuple[TakeCount, ...]
    classes: tuple[ClassGauges, ...]
    waiting_shots: tuple[tuple[str, int], ...]


def ledger_gauges(ledger: Ledger, *, now: datetime) -> LedgerGauges:
    """Counts and sums over all tenants at one moment; workers are paid up to their settlement."""
    moment = to_micros(now)
    is_open = WorkerRow.ended_at.is_(None)
    takes = (
        select(_release, WorkerRow.gpu_class, TakeRow.outcome, func.count())
        .join(WorkerRow, WorkerRow.id == TakeRow.worker_id)
        .group_by(_release, WorkerRow.gpu_class, TakeRow.outcome)
        .order_by(_release, WorkerRow.gpu_class, TakeRow.outcome)
    )
    classes = (
        select(
            WorkerRow.gpu_class,
            func.sum(WorkerRow.paid_micro_usd),
            func.count().filter(is_open),
            func.max(moment - WorkerRow.heartbeat_at).filter(is_open),
            func.max(moment - WorkerRow.stepped_at).filter(is_open),
        )
        .group_by(WorkerRow.gpu_class)
        .order_by(WorkerRow.gpu_class)
    )
    with ledger.read(House("metrics")) as session:
        return LedgerGauges(
            tuple(TakeCount(*row) for row in session.execute(takes)),
            tuple(_of_class(*row) for row in session.execute(classes)),
            tuple((tenant, shots) for tenant, shots in session.execute(_WAITING)),
        )


_release = func.coalesce(TakeRow.release, literal_column("''"))
_is_accepted = exists().where(
    TakeRow.shot_id == EditionShotRow.shot_id, TakeRow.outcome == "accepted"
)
_WAITING = (
    select(EditionRow.tenant, func.count())
    .join(EditionShotRow, EditionShotRow.edition_id == EditionRow.id)
    .where(EditionShotRow.state == "admitted", ~_is_accepted)
    .group_by(EditionRow.tenant)
    .order_by(EditionRow.tenant)
)


def _of_class(
    gpu_class: str, paid: int, workers: int, silence: int | None, step: int | None
) -> ClassGauges:
    return ClassGauges(
        gpu_class,
        int(paid),
        workers,
        seconds_of(max(0, silence or 0)),
        seconds_of(max(0, step or 0)),
    )
