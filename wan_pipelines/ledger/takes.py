"""Takes: what becomes of an attempt at a leased shot. Each function is one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, select, update
from sqlalchemy.orm import Session

from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.descents import note_descent
from wan_pipelines.ledger.endings import change_take, end_take
from wan_pipelines.ledger.leases import Lease, lease_lost, lock_leased
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.outages import repeated
from wan_pipelines.ledger.records import TakeReport
from wan_pipelines.ledger.statements import Transaction, storable, table
from wan_pipelines.ledger.tables import (
    ForgettingRow,
    RenditionRow,
    ShotRow,
    TakeRow,
)
from wan_pipelines.ledger.workers import beat, is_open
from wan_pipelines.storage.keys import owned_key


@repeated
def accept_take(
    ledger: Ledger,
    lease: Lease,
    report: TakeReport,
    renditions: Sequence[RenditionFile],
    *,
    now: datetime,
) -> None:
    """Make a take the shot's accepted one, with its files, and settle its quota: all or nothing.

    Accepting the same take again changes nothing. Other editions that wait for the shot reuse it,
    and get their reservations back. Raises `LeaseLost` when the take runs no more, `StorageError`
    for files that are another tenant's.
    """
    with ledger.change(lease.tenant) as transaction:
        working = is_open(transaction, lease.tenant, lease.worker_id, now)
        take = lock_leased(transaction, lease)
        if take.outcome == "accepted":
            return
        if not working or take.outcome != "running":
            raise lease_lost(lease, take)
        end_take(transaction, take, "accepted", now, _columns(report))
        _insert_renditions(transaction, lease.tenant, take.id, renditions, 0, now)
        _note_descent(transaction, lease, report, now)
        transaction.execute(_FORGIVE, {"shot": take.shot_id})


@repeated
def fail_take(ledger: Ledger, lease: Lease, report: TakeReport, *, now: datetime) -> None:
    """Record a failed take with its error, and give its quota back.

    A take that runs no more, because its lease has passed on, keeps its outcome.
    """
    with ledger.change(lease.tenant) as transaction:
        beat(transaction, lease.tenant, lease.worker_id, now)
        take = lock_leased(transaction, lease)
        if take.outcome != "running":
            change_take(transaction, take, _columns(report))
            return
        end_take(transaction, take, "failed", now, _columns(report))
        _note_descent(transaction, lease, report, now)
        transaction.execute(_COUNT_FAILURE, {"shot": take.shot_id, "moment": to_micros(now)})


def add_renditions(
    ledger: Ledger, tenant: str, take_id: str, renditions: Sequence[RenditionFile], *, now: datetime
) -> None:
    """Add files to an accepted take that were derived from it later; known names are skipped."""
    with ledger.write(tenant) as session:
        take = _accepted(session, tenant, TakeRow.id == take_id)
        if take is None:
            raise LedgerError(f"Take {take_id} of tenant {tenant} is not accepted (any more).")
        of_take = select(RenditionRow.name).join(TakeRow, TakeRow.id == RenditionRow.take_id)
        known = session.scalars(
            of_take.where(TakeRow.id == take_id, TakeRow.tenant == tenant)
        ).all()
        new = [rendition for rendition in renditions if rendition.name not in known]
        _insert_renditions(session, tenant, take_id, new, len(known), now)


def forget_outputs(
    ledger: Ledger,
    tenant: str,
    render_key: str,
    reason: str,
    *,
    take_id: str | None = None,
    now: datetime,
) -> str | None:
    """Give up a shot's accepted take because its files are lost or damaged.

    The take stays in the history as `forgotten`, its charges stay charged, and the shot may be
    rendered anew. With `take_id`, only that take is given up: whoever saw its files damaged may
    come late. Returns the take's id; none when there was nothing to give up.
    """
    with ledger.write(tenant) as session:
        take = _accepted(session, tenant, ShotRow.render_key == render_key)
        if take is None or take_id not in (None, take.id):
            return None
        take.outcome = "forgotten"
        session.add(
            ForgettingRow(
                tenant=tenant, take_id=take.id, reason=storable(reason), created_at=to_micros(now)
            )
        )
        return take.id


_SHOTS = table(ShotRow)
_THIS_SHOT = _SHOTS.c.id == bindparam("shot")
_FORGIVE = (
    update(_SHOTS).where(_THIS_SHOT, _SHOTS.c.failures > 0).values(failures=0, last_failed_at=None)
)
_COUNT_FAILURE = (
    update(_SHOTS)
    .where(_THIS_SHOT)
    .values(failures=_SHOTS.c.failures + 1, last_failed_at=bindparam("moment"))
)


def _accepted(session: Session, tenant: str, condition: ColumnElement[bool]) -> TakeRow | None:
    return session.scalars(
        select(TakeRow)
        .join(ShotRow, ShotRow.id == TakeRow.shot_id)
        .where(ShotRow.tenant == tenant, TakeRow.outcome == "accepted", condition)
        .with_for_update(of=TakeRow, key_share=True)
    ).one_or_none()


def _columns(report: TakeReport) -> dict[str, Any]:
    said = report.error_message
    columns = {
        "seed": report.seed,
        "steps": report.steps,
        "peak_memory_bytes": report.peak_memory_bytes,
        "engine": report.engine,
        "release": report.release,
        "fingerprint": report.fingerprint,
        "error_type": report.error_type,
        "error_message": None if said is None else storable(said),
        "error_stage": report.error_stage,
    }
    if report.stages:
        columns["text_microseconds"] = report.stages.text
        columns["denoise_high_microseconds"] = report.stages.denoise_high
        columns["denoise_low_microseconds"] = report.stages.denoise_low
        columns["decode_microseconds"] = report.stages.decode
    return columns


def _note_descent(
    transaction: Transaction, lease: Lease, report: TakeReport, now: datetime
) -> None:
    if report.descent:
        note_descent(transaction, lease.tenant, lease.take_id, report.descent, now)


_INSERT_RENDITIONS = insert(table(RenditionRow))


def _insert_renditions(
    transaction: Transaction,
    tenant: str,
    take_id: str,
    renditions: Sequence[RenditionFile],
    first: int,
    now: datetime,
) -> None:
    rows = [
        {
            "take_id": take_id,
            "position": position,
            "name": each.name,
            "key": owned_key(tenant, each.key),
            "uri": each.uri,
            "sha256": each.sha256,
            "size_bytes": each.size_bytes,
            "codec": each.codec,
            "width": each.width,
            "height": each.height,
            "fps": each.fps,
            "frames": each.frames,
            "duration_microseconds": round(each.duration_seconds * 1e6),
            "signature": each.signature,
            "created_at": to_micros(now),
        }
        for position, each in enumerate(renditions, start=first)
    ]
    if rows:
        transaction.execute(_INSERT_RENDITIONS, rows)
