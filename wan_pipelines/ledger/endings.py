"""How a take ends, and what becomes of the quota that was reserved for its shot."""

from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.quotas import close
from wan_pipelines.ledger.tables import EditionShotRow, TakeRow

Ending = Literal["accepted", "failed", "abandoned"]


def end_take(session: Session, take: TakeRow, ending: Ending, now: datetime) -> None:
    """End a running take whose shot the caller has locked.

    An accepted take settles its reservation, and all other editions that wait for the shot reuse
    it and get theirs back. A failed take releases its reservation. An abandoned one leaves it to
    the next take, unless the edition does not want the shot any more.
    """
    take.outcome = ending
    take.lease_expires_at = None
    take.ended_at = to_micros(now)
    session.flush()  # before anything else may claim the shot
    waiting = session.scalars(_WAITING, {"shot": take.shot_id}).all()
    own = [row for row in waiting if row.reservation == take.reservation]
    if ending == "abandoned" and own:
        return
    close(session, [take.reservation], "settle" if ending == "accepted" else "release", now)
    for row in own:
        row.reservation = None
    if ending == "accepted":
        _let_reuse(session, [row for row in waiting if row not in own], take, now)


def _let_reuse(
    session: Session, waiting: list[EditionShotRow], take: TakeRow, now: datetime
) -> None:
    close(session, [row.reservation for row in waiting if row.reservation], "release", now)
    for row in waiting:
        row.reservation = None
        if row.edition_id != take.edition_id:
            row.state, row.reason = "reused", "already rendered by another edition"
            row.updated_at = to_micros(now)


_WAITING = (
    select(EditionShotRow)
    .where(EditionShotRow.shot_id == bindparam("shot"), EditionShotRow.reservation.is_not(None))
    .order_by(EditionShotRow.id)
    .with_for_update(key_share=True)
)
