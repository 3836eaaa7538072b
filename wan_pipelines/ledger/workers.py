"""Workers: processes that are paid from start to end, whatever becomes of them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import ColumnElement, CursorResult, bindparam, case, func, select, update
from sqlalchemy.orm import Session

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.charges import Spent
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.endings import end_take, lock_take
from wan_pipelines.ledger.keys import EditionKey, edition_id_of
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.outages import repeated
from wan_pipelines.ledger.prices import Market, price_row_at
from wan_pipelines.ledger.settlement import record_spans, settle
from wan_pipelines.ledger.statements import Transaction, chunks, table
from wan_pipelines.ledger.tables import ShotRow, TakeRow, WorkerRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.processes import host_name, process_name


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """Where a worker runs, and as what it is paid."""

    run_id: str
    step_key: str
    gpu_class: str
    gpu_count: int = 1
    market: Market = "on-demand"


@dataclass(frozen=True, slots=True)
class OpenWorker:
    """A worker that is being paid, and the name of its process, where that was kept."""

    id: str
    tenant: str
    run_id: str
    pid: int
    process: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a worker is: take `take_id` has stood at step `step` of `steps` since `since`."""

    take_id: str
    step: int
    steps: int
    since: datetime


@dataclass(frozen=True, slots=True)
class OpenTake:
    """A take that a worker has begun and not ended itself."""

    tenant: str
    render_key: str
    take_id: str


@repeated
def open_worker(
    ledger: Ledger,
    edition: EditionKey,
    place: WorkerPlace,
    *,
    now: datetime,
    started_at: datetime | None = None,
) -> str:
    """Start paying this process, from `started_at` (its birth, say) on; returns the worker's id.

    The price is the one that holds at that moment. Raises `LedgerError` when there is none.
    """
    began = min(started_at or now, now)
    with ledger.write(edition.tenant) as session:
        price = price_row_at(session, place.gpu_class, began, place.market)
        worker = WorkerRow(
            id=uuid4().hex,
            tenant=edition.tenant,
            edition_id=edition_id_of(session, edition),
            run_id=place.run_id,
            step_key=place.step_key,
            host=host_name(),
            pid=os.getpid(),
            process=process_name(),
            gpu_class=place.gpu_class,
            gpu_count=place.gpu_count,
            price_id=price.id,
            started_at=to_micros(began),
            heartbeat_at=to_micros(now),
            ended_at=None,
            lost=False,
            settled_until=to_micros(began),
            paid_micro_usd=0,
            created_at=to_micros(now),
        )
        session.add(worker)
        return worker.id


@repeated
def heartbeat(
    ledger: Ledger,
    tenant: str,
    worker_id: str,
    spans: Sequence[Spent] = (),
    *,
    now: datetime,
    position: Position | None = None,
) -> None:
    """Say that the worker lives, where it is, and what it spent time on since it last said so.

    A worker that was given up as lost but lives is taken up again, and paid for the gap.
    """
    with ledger.change(tenant) as transaction:
        beat(transaction, tenant, worker_id, now)
        names = {"worker": worker_id, "its_tenant": tenant}
        transaction.execute(_STAND, {**names, **_columns_of(position)})
        record_spans(transaction, worker_id, spans, now)


@repeated
def close_worker(
    ledger: Ledger,
    tenant: str,
    worker_id: str,
    spans: Sequence[Spent] = (),
    *,
    now: datetime,
    paid_until: datetime | None = None,
) -> int:
    """Stop paying a worker and charge its time; returns what it was paid in micro-dollars.

    It is paid until `paid_until`, which is not `now` where the clock was set or the machine slept.
    Takes that still run become `abandoned`. Closing a closed worker changes nothing.
    """
    with ledger.write(tenant) as session:
        worker = _locked(session, tenant, worker_id)
        if worker.ended_at is not None and not worker.lost:
            return worker.paid_micro_usd
        record_spans(session, worker_id, spans, now)
        worker.heartbeat_at = max(worker.heartbeat_at, to_micros(now))
        worker.lost = False
        _end(session, worker, to_micros(paid_until or now), now, rest=Spent("idle", 0))
        return worker.paid_micro_usd


def close_lost_workers(ledger: Ledger, *, now: datetime, grace: timedelta) -> tuple[str, ...]:
    """Give up workers of all tenants that have been silent for longer than `grace`.

    A lost worker is paid until its last heartbeat. Its running takes become `abandoned`, so that
    others may render their shots; time it did not report is charged to the take it was at.
    """
    silent = WorkerRow.heartbeat_at < to_micros(now - grace)
    with ledger.read(House("upkeep")) as session:
        some = select(WorkerRow.id).where(WorkerRow.ended_at.is_(None), silent).limit(1)
        if session.scalars(some).one_or_none() is None:
            return ()
    with ledger.write(House("upkeep")) as session:
        return _give_up(session, silent, now)


def open_workers(ledger: Ledger, host: str) -> tuple[OpenWorker, ...]:
    """The workers of all tenants that are paid on a host at the moment."""
    query = select(WorkerRow).where(WorkerRow.ended_at.is_(None), WorkerRow.host == host)
    with ledger.read(House("upkeep")) as session:
        return tuple(
            OpenWorker(row.id, row.tenant, row.run_id, row.pid, row.process)
            for row in session.scalars(query.order_by(WorkerRow.created_at))
        )


def last_paid(ledger: Ledger, tenant: str, run_id: str, step_key: str) -> datetime | None:
    """Until when the workers of a step are paid that have ended; None: none has."""
    query = select(func.max(WorkerRow.ended_at)).where(
        WorkerRow.tenant == tenant, WorkerRow.run_id == run_id, WorkerRow.step_key == step_key
    )
    with ledger.read(tenant) as session:
        until = session.scalars(query).one()
        return None if until is None else from_micros(until)


def give_up(ledger: Ledger, worker_ids: Sequence[str], *, now: datetime) -> None:
    """Close workers that are known to be dead, as `close_lost_workers` closes silent ones."""
    for some in chunks(worker_ids):
        with ledger.write(House("upkeep")) as session:
            _give_up(session, WorkerRow.id.in_(some), now)


def open_takes(ledger: Ledger, worker_ids: Sequence[str]) -> tuple[OpenTake, ...]:
    """What workers of any tenant have begun and not ended: it runs, or was abandoned."""
    query = select(TakeRow.tenant, ShotRow.render_key, TakeRow.id).join(ShotRow)
    with ledger.read(House("upkeep")) as session:
        return tuple(
            OpenTake(*found)
            for some in chunks(worker_ids)
            for found in session.execute(
                query.where(
                    TakeRow.worker_id.in_(some), TakeRow.outcome.in_(("running", "abandoned"))
                )
            )
        )


def beat(transaction: Transaction, tenant: str, worker_id: str, now: datetime) -> None:
    """Note a sign of life, in a transaction that does something else as well."""
    if not is_open(transaction, tenant, worker_id, now):
        raise LedgerError(
            f"Worker {worker_id} of tenant {tenant} is not open in the ledger: it was closed, or "
            "never opened. Open a worker for each process."
        )


def is_open(transaction: Transaction, tenant: str, worker_id: str, now: datetime) -> bool:
    """As `beat`, but says whether the worker is open (or lost, and so open again)."""
    values = {"worker": worker_id, "its_tenant": tenant, "moment": to_micros(now)}
    result = cast("CursorResult[Any]", transaction.execute(_BEAT, values))
    return result.rowcount == 1


def _columns_of(position: Position | None) -> dict[str, str | int | None]:
    if position is None:
        return {"take": None, "step": None, "steps": None, "since": None}
    return {
        "take": position.take_id,
        "step": position.step,
        "steps": position.steps,
        "since": to_micros(position.since),
    }


_WORKERS = table(WorkerRow).c
_STAND = (
    update(table(WorkerRow))
    .where(_WORKERS.id == bindparam("worker"), _WORKERS.tenant == bindparam("its_tenant"))
    .values(
        at_take=bindparam("take"),
        at_step=bindparam("step"),
        of_steps=bindparam("steps"),
        stepped_at=bindparam("since"),
    )
)
_MOMENT = bindparam("moment")
_BEAT = (
    update(table(WorkerRow))
    .where(_WORKERS.id == bindparam("worker"), _WORKERS.tenant == bindparam("its_tenant"))
    .where(_WORKERS.ended_at.is_(None) | _WORKERS.lost)
    .values(
        heartbeat_at=case((_WORKERS.heartbeat_at > _MOMENT, _WORKERS.heartbeat_at), else_=_MOMENT),
        ended_at=None,
        lost=False,
    )
)


def _give_up(session: Session, condition: ColumnElement[bool], now: datetime) -> tuple[str, ...]:
    lost = session.scalars(
        select(WorkerRow)
        .where(WorkerRow.ended_at.is_(None), condition)
        .order_by(WorkerRow.started_at, WorkerRow.id)
        .with_for_update(key_share=True)
    ).all()
    for worker in lost:
        worker.lost = True
        rest = Spent("lost", 0, _latest_running(session, worker))
        _end(session, worker, worker.heartbeat_at, now, rest=rest)
    return tuple(worker.id for worker in lost)


def _end(session: Session, worker: WorkerRow, until: int, now: datetime, *, rest: Spent) -> None:
    """Settle a locked worker until that moment (microseconds), and end it."""
    settle(session, worker, until, now, rest=rest)
    worker.ended_at = worker.settled_until
    running = select(TakeRow.id).where(_runs_at(worker))
    for take_id in session.scalars(running.order_by(TakeRow.shot_id)).all():
        take = lock_take(session, worker.tenant, take_id)
        if take and take.outcome == "running":
            end_take(session, take, "abandoned", now)


def _latest_running(session: Session, worker: WorkerRow) -> str | None:
    return session.scalars(
        select(TakeRow.id)
        .where(_runs_at(worker))
        .order_by(TakeRow.started_at.desc(), TakeRow.id)
        .limit(1)
    ).one_or_none()


def _runs_at(worker: WorkerRow) -> ColumnElement[bool]:
    of_worker = (TakeRow.worker_id == worker.id) & (TakeRow.tenant == worker.tenant)
    return of_worker & (TakeRow.outcome == "running")


def _locked(session: Session, tenant: str, worker_id: str) -> WorkerRow:
    worker = session.scalars(
        select(WorkerRow)
        .where(WorkerRow.id == worker_id, WorkerRow.tenant == tenant)
        .with_for_update(key_share=True)
    ).one_or_none()
    if worker is None:
        raise LedgerError(f"Tenant {tenant} has no worker {worker_id} in the ledger.")
    return worker
