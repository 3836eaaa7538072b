"""The lease on a shot: who renders it, until when. A lease is the row of a running take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from wan_pipelines.errors import LeaseLost, LedgerError, NotAdmitted, QuotaExceeded
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.endings import end_take
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.quotas import close, left_of, reserve
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, ShotRow, TakeRow
from wan_pipelines.ledger.tenants import Account, account_of
from wan_pipelines.ledger.workers import beat


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to render a shot until `expires_at`, as take `take_id`."""

    tenant: str
    render_key: str
    take_id: str
    worker_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """The shot has an accepted take; there is nothing to render."""

    take_id: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker renders the shot; unless it renews its lease, ask again at `until`."""

    until: datetime


def lease_shot(
    ledger: Ledger,
    edition: EditionKey,
    render_key: str,
    worker_id: str,
    *,
    lease_seconds: float,
    now: datetime,
) -> Lease | Done | Busy:
    """Begin a take of a shot that the edition admitted, unless it is done or being done.

    A lease past its expiry is taken over: the first owner's take becomes `abandoned` (so the
    clocks of hosts must agree to well within `lease_seconds`). A shot whose last take failed is
    reserved anew. Raises `NotAdmitted` when the edition does not want the shot
    (any more), `QuotaExceeded` when it would have to be reserved and nothing is left.
    """
    with ledger.write() as session:
        beat(session, edition.tenant, worker_id, now)
        account, row = _wanted(session, edition, render_key)
        current = session.scalars(_CURRENT_TAKE, {"shot": row.shot_id}).one_or_none()
        if current and current.outcome == "accepted":
            _note_done(session, row, current, now)
            return Done(current.id)
        if current and _expiry(current) > now:
            return Busy(_expiry(current))
        if current:
            end_take(session, current, "abandoned", now)
        reservation = _reservation_of(session, account, row, now)
        expires_at = now + timedelta(seconds=lease_seconds)
        take = TakeRow(
            id=uuid4().hex,
            tenant=account.tenant,
            user=account.user,
            shot_id=row.shot_id,
            edition_id=row.edition_id,
            worker_id=worker_id,
            tier=row.tier,
            outcome="running",
            reservation=reservation,
            lease_expires_at=to_micros(expires_at),
            started_at=to_micros(now),
            created_at=to_micros(now),
        )
        session.add(take)
        return Lease(edition.tenant, render_key, take.id, worker_id, expires_at)


def renew_lease(ledger: Ledger, lease: Lease, *, lease_seconds: float, now: datetime) -> Lease:
    """Keep a shot for longer. Raises `LeaseLost` when it has passed to somebody else."""
    expires_at = now + timedelta(seconds=lease_seconds)
    with ledger.write() as session:
        beat(session, lease.tenant, lease.worker_id, now)
        take = lock_running(session, lease)
        take.lease_expires_at = to_micros(expires_at)
    return replace(lease, expires_at=expires_at)


def release_lease(ledger: Ledger, lease: Lease, *, now: datetime) -> None:
    """Give a shot back unrendered; the take is `abandoned`, its reservation waits for the next."""
    with ledger.write() as session:
        beat(session, lease.tenant, lease.worker_id, now)
        end_take(session, lock_running(session, lease), "abandoned", now)


def lock_running(session: Session, lease: Lease) -> TakeRow:
    """The running take of a lease, with its shot locked; `LeaseLost` when it runs no more."""
    take = lock_take(session, lease)
    if take.outcome != "running":
        raise lease_lost(lease, take)
    return take


def lease_lost(lease: Lease, take: TakeRow) -> LeaseLost:
    """The error for a worker whose take has ended without it."""
    return LeaseLost(
        f"The lease on shot {lease.render_key[:12]} is lost: take {take.id} is {take.outcome}. "
        "Another worker may render the shot; what this one made of it is not kept."
    )


def lock_take(session: Session, lease: Lease) -> TakeRow:
    """The take of a lease, whatever has become of it, with its shot locked."""
    of_lease = {"take": lease.take_id, "tenant": lease.tenant}
    session.execute(_LOCK_SHOT_OF_TAKE, of_lease)
    take = session.scalars(_LOCK_TAKE, of_lease).one_or_none()
    if take is None:
        raise LeaseLost(f"Tenant {lease.tenant} has no take {lease.take_id} in the ledger.")
    return take


def _wanted(
    session: Session, edition: EditionKey, render_key: str
) -> tuple[Account, EditionShotRow]:
    """Account, and the edition's row of a shot: locked with the shot, in everybody's order."""
    names = {
        "tenant": edition.tenant,
        "campaign": edition.campaign,
        "edition": edition.edition,
        "render_key": render_key,
    }
    found = session.execute(_ASKED_FOR, names).one_or_none()
    if found is None:
        raise NotAdmitted(f"Edition {edition} does not ask for shot {render_key[:12]} (any more).")
    edition_id, user, shot_id = found
    account = account_of(session, edition.tenant, user, lock=True)
    session.execute(_LOCK_SHOT, {"shot": shot_id})
    rows = session.scalars(_LOCK_ROWS, {"edition": edition_id, "shot": shot_id}).all()
    for row in rows:
        if row.state in ("admitted", "reused"):
            return account, row
    raise _not_admitted(edition, rows)


def _not_admitted(edition: EditionKey, rows: Sequence[EditionShotRow]) -> LedgerError:
    if not rows:
        return NotAdmitted(f"Edition {edition} was changed and asks for another shot now.")
    row = rows[0]
    kind = QuotaExceeded if row.state == "refused" else NotAdmitted
    return kind(f"Shot {row.name} of edition {edition} is {row.state}: {row.reason}.")


def _expiry(take: TakeRow) -> datetime:
    return from_micros(take.lease_expires_at or 0)


def _note_done(session: Session, wanted: EditionShotRow, accepted: TakeRow, now: datetime) -> None:
    """Give back what was reserved for a shot that was rendered elsewhere meanwhile."""
    if wanted.reservation is not None:
        close(session, [wanted.reservation], "release", now)
        wanted.reservation = None
    if accepted.edition_id != wanted.edition_id and wanted.state != "reused":
        wanted.state, wanted.reason = "reused", "already rendered by another edition"
        wanted.updated_at = to_micros(now)


def _reservation_of(session: Session, account: Account, row: EditionShotRow, now: datetime) -> str:
    """The shot's reservation; a new one if its last take failed, or its reused one was given up."""
    if row.reservation is not None:
        return row.reservation
    quota = left_of(session, account, now)
    if quota.left == 0:
        raise QuotaExceeded(f"Shot {row.name} is not rendered again: {quota.refusal}.")
    (reservation,) = reserve(session, quota, 1, now)
    row.reservation = reservation
    row.state, row.reason = "admitted", ""
    row.updated_at = to_micros(now)
    return reservation


# Statements of the hot path are built once: building one takes longer than running it.
_LOCK_SHOT = (
    select(ShotRow.id).where(ShotRow.id == bindparam("shot")).with_for_update(key_share=True)
)
_OF_TAKE = (TakeRow.id == bindparam("take"), TakeRow.tenant == bindparam("tenant"))
_LOCK_SHOT_OF_TAKE = (
    select(ShotRow.id)
    .join(TakeRow, TakeRow.shot_id == ShotRow.id)
    .where(*_OF_TAKE)
    .with_for_update(of=ShotRow, key_share=True)
)
_LOCK_TAKE = select(TakeRow).where(*_OF_TAKE).with_for_update(key_share=True)
_CURRENT_TAKE = select(TakeRow).where(
    TakeRow.shot_id == bindparam("shot"), TakeRow.outcome.in_(("accepted", "running"))
)
_ASKED_FOR = (
    select(EditionRow.id, EditionRow.user, ShotRow.id)
    .join(EditionShotRow, EditionShotRow.edition_id == EditionRow.id)
    .join(ShotRow, ShotRow.id == EditionShotRow.shot_id)
    .where(
        EditionRow.tenant == bindparam("tenant"),
        EditionRow.campaign == bindparam("campaign"),
        EditionRow.edition == bindparam("edition"),
        ShotRow.tenant == bindparam("tenant"),
        ShotRow.render_key == bindparam("render_key"),
    )
    .limit(1)
)
_LOCK_ROWS = (
    select(EditionShotRow)
    .where(
        EditionShotRow.edition_id == bindparam("edition"),
        EditionShotRow.shot_id == bindparam("shot"),
    )
    .order_by(EditionShotRow.position)
    .with_for_update(key_share=True)
)
