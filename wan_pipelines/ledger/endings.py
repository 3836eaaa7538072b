"""How a take ends, and what becomes of the quota it holds."""

from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.quotas import close
from wan_pipelines.ledger.tables import EditionShotRow, TakeRow

Ending = Literal["accepted", "failed", "abandoned"]


def end_take(session: Session, take: TakeRow, ending: Ending, now: datetime) -> None:
    """End a running take whose shot the caller has locked.

    An accepted take settles its reservation and a failed one releases it. An abandoned take
    leaves it to the next take, unless the edition does not want the shot any more.
    """
    take.outcome = ending
    take.lease_expires_at = None
    take.ended_at = to_micros(now)
    session.flush()  # before anything else may claim the shot
    if take.reservation is None:
        return
    waiting = session.scalars(
        select(EditionShotRow)
        .where(
            EditionShotRow.shot_id == take.shot_id,
            EditionShotRow.edition_id == take.edition_id,
            EditionShotRow.reservation == take.reservation,
        )
        .with_for_update(key_share=True)
    ).one_or_none()
    if ending == "abandoned" and waiting:
        return
    close(session, [take.reservation], "settle" if ending == "accepted" else "release", now)
    if waiting:
        waiting.reservation = None
        waiting.updated_at = to_micros(now)
