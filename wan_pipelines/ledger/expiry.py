"""Reservations whose run has vanished: after a while they are given back, for all to use."""

from datetime import datetime, timedelta

from sqlalchemy import Select, exists, select, update

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.quotas import release
from wan_pipelines.ledger.statements import chunks
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, TakeRow, WorkerRow
from wan_pipelines.ledger.tables.takes import RUNNING
from wan_pipelines.ledger.whose import House


def expire_reservations(ledger: Ledger, *, idle_for: timedelta, now: datetime) -> int:
    """Release what waits for editions that nobody has worked on for so long; returns how many.

    The shots stay admitted: whoever renders them later reserves anew, if anything is left then.
    """
    expired = 0
    since = to_micros(now - idle_for)
    with ledger.read(House("upkeep")) as session:
        waiting = session.scalars(_waiting_since(since)).all()
    for some in chunks(waiting):
        with ledger.write(House("upkeep")) as session:
            still = _waiting_since(since).where(EditionShotRow.id.in_(some))
            query = (
                select(EditionShotRow.id, EditionShotRow.reservation)
                .where(EditionShotRow.id.in_(still))
                .with_for_update(key_share=True)
            )
            found = session.execute(query).all()
            release(session, [row.reservation for row in found], now)
            gone = EditionShotRow.id.in_([row.id for row in found])
            session.execute(update(EditionShotRow).where(gone).values(reservation=None))
            expired += len(found)
    return expired


def _waiting_since(moment: int) -> Select[tuple[int]]:
    """Rows of editions that were admitted, and whose workers were last heard of, before that."""
    heard_of = exists().where(
        WorkerRow.edition_id == EditionShotRow.edition_id, WorkerRow.heartbeat_at >= moment
    )
    at_work = exists().where(RUNNING, TakeRow.reservation == EditionShotRow.reservation)
    return (
        select(EditionShotRow.id)
        .join(EditionRow, EditionRow.id == EditionShotRow.edition_id)
        .where(
            EditionShotRow.reservation.is_not(None),
            EditionRow.admitted_at < moment,
            ~heard_of,
            ~at_work,
        )
    )
