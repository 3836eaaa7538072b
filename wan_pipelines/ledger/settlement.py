"""Turns a worker's paid time into charges."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.orm import Session

from wan_pipelines.ledger.charges import Spent, split
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.money import price_of
from wan_pipelines.ledger.statements import Transaction, table
from wan_pipelines.ledger.tables import ChargeRow, PriceRow, SpanRow, WorkerRow


def record_spans(
    transaction: Transaction, worker_id: str, spans: Sequence[Spent], now: datetime
) -> None:
    """Keep reported time until it is charged."""
    common = {"worker_id": worker_id, "created_at": to_micros(now)}
    rows = [
        {"take_id": s.take_id, "kind": s.kind, "microseconds": s.microseconds, **common}
        for s in spans
    ]
    if rows:
        transaction.execute(_INSERT_SPANS, rows)


_INSERT_SPANS = insert(table(SpanRow))


def settle(session: Session, worker: WorkerRow, until: int, now: datetime, *, rest: Spent) -> None:
    """Charge a worker's time from its last settlement until `until` (microseconds).

    Time that no span accounts for is charged as `rest` says (its own length is ignored). The
    worker's payment is rounded once over its whole life, however often it is settled; what was
    corrected meanwhile stays corrected.
    """
    until = max(until, worker.settled_until)
    price = session.get_one(PriceRow, worker.price_id)
    paid = _cost(worker, price, until) - _cost(worker, price, worker.settled_until)
    elapsed = until - worker.settled_until
    spent = _take_spans(session, worker)
    unreported = max(0, elapsed - sum(span.microseconds for span in spent))
    spent.append(Spent(rest.kind, unreported, rest.take_id))
    shares = split(paid, worker.gpu_count * elapsed, spent)
    common = {"tenant": worker.tenant, "worker_id": worker.id, "created_at": to_micros(now)}
    rows = [
        {
            "take_id": share.take_id,
            "kind": share.kind,
            "gpu_microseconds": share.gpu_microseconds,
            "micro_usd": share.micro_usd,
            **common,
        }
        for share in shares
    ]
    if rows:
        session.execute(insert(table(ChargeRow)), rows)
    worker.paid_micro_usd += paid
    worker.settled_until = until


def _cost(worker: WorkerRow, price: PriceRow, until: int) -> int:
    return price_of(
        gpu_count=worker.gpu_count,
        microseconds=until - worker.started_at,
        micro_usd_per_gpu_hour=price.micro_usd_per_gpu_hour,
    )


def _take_spans(session: Session, worker: WorkerRow) -> list[Spent]:
    names = {"worker": worker.id, "its_tenant": worker.tenant}
    found = session.execute(_SPANS, names).all()
    session.execute(_DELETE_SPANS, names)
    return [Spent(kind, microseconds, take_id) for kind, microseconds, take_id in found]


_WORKERS, _SPAN = table(WorkerRow).c, table(SpanRow).c
_OF_WORKER = _SPAN.worker_id == (
    select(_WORKERS.id)
    .where(_WORKERS.id == bindparam("worker"), _WORKERS.tenant == bindparam("its_tenant"))
    .scalar_subquery()
)
_SPANS = select(_SPAN.kind, _SPAN.microseconds, _SPAN.take_id).where(_OF_WORKER).order_by(_SPAN.id)
_DELETE_SPANS = delete(table(SpanRow)).where(_OF_WORKER)
