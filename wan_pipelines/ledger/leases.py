"""The lease on a shot: who renders it, until when. A lease is the row of a running take."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import bindparam, insert, select

from wan_pipelines.errors import LeaseLost, LedgerError, NotAdmitted, QuotaExceeded
from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.budget_rows import binding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.endings import (
    TAKE_STATE,
    TakeState,
    change_take,
    change_wish,
    end_take,
    lock_take,
    reused,
)
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.outages import repeated
from wan_pipelines.ledger.quotas import left_of, release, reserve
from wan_pipelines.ledger.remainders import first_lack
from wan_pipelines.ledger.statements import Transaction, lock_rows, table
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, ShotRow, TakeRow
from wan_pipelines.ledger.tenants import account_of, lock_account
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


@repeated
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
    with ledger.change(edition.tenant) as transaction:
        beat(transaction, edition.tenant, worker_id, now)
        wish, current = _asked(transaction, edition, render_key)
        if current and current.outcome == "accepted":
            _note_done(transaction, wish, current, now)
            return Done(current.id)
        if current and _expiry(current) > now:
            return Busy(_expiry(current))
        _check_budgets(transaction, edition, wish, now)
        if current:
            end_take(transaction, current, "abandoned", now)
        take_id = uuid4().hex
        expires_at = now + timedelta(seconds=lease_seconds)
        values = {
            "id": take_id,
            "tenant": edition.tenant,
            "user": wish.user,
            "shot_id": wish.shot_id,
            "edition_id": wish.edition_id,
            "worker_id": worker_id,
            "tier": wish.tier,
            "outcome": "running",
            "reservation": _reservation_of(transaction, edition.tenant, wish, now),
            "lease_expires_at": to_micros(expires_at),
            "started_at": to_micros(now),
            "created_at": to_micros(now),
        }
        transaction.execute(_BEGIN_TAKE, values)
        return Lease(edition.tenant, render_key, take_id, worker_id, expires_at)


@repeated
def renew_lease(ledger: Ledger, lease: Lease, *, lease_seconds: float, now: datetime) -> Lease:
    """Keep a shot for longer. Raises `LeaseLost` when it has passed to somebody else."""
    expires_at = now + timedelta(seconds=lease_seconds)
    with ledger.change(lease.tenant) as transaction:
        beat(transaction, lease.tenant, lease.worker_id, now)
        take = lock_running(transaction, lease)
        change_take(transaction, take, {"lease_expires_at": to_micros(expires_at)})
    return replace(lease, expires_at=expires_at)


@repeated
def stopped_by_budget(ledger: Ledger, edition: EditionKey, *, now: datetime) -> str:
    """Why shots of an edition that run are to be stopped; empty if they are not."""
    with ledger.look(edition.tenant) as transaction:
        found = binding(transaction, edition, now)
    return next((each.stopping for each in found if not each.may_go_on), "")


@repeated
def release_lease(ledger: Ledger, lease: Lease, *, now: datetime) -> None:
    """Give a shot back unrendered; the take is `abandoned`, its reservation waits for the next."""
    with ledger.change(lease.tenant) as transaction:
        beat(transaction, lease.tenant, lease.worker_id, now)
        end_take(transaction, lock_running(transaction, lease), "abandoned", now)


def lock_running(transaction: Transaction, lease: Lease) -> TakeState:
    """The running take of a lease, with its shot locked; `LeaseLost` when it runs no more."""
    take = lock_leased(transaction, lease)
    if take.outcome != "running":
        raise lease_lost(lease, take)
    return take


def lease_lost(lease: Lease, take: TakeState) -> LeaseLost:
    """The error for a worker whose take has ended without it."""
    return LeaseLost(
        f"The lease on shot {lease.render_key[:12]} is lost: take {take.id} is {take.outcome}. "
        "Another worker may render the shot; what this one made of it is not kept."
    )


def lock_leased(transaction: Transaction, lease: Lease) -> TakeState:
    """The take of a lease, whatever has become of it, with its shot locked."""
    take = lock_take(transaction, lease.tenant, lease.take_id)
    if take is None:
        raise LeaseLost(f"Tenant {lease.tenant} has no take {lease.take_id} in the ledger.")
    return take


@dataclass(frozen=True, slots=True)
class _Wish:
    """An edition's row of a shot, and the user who asked for it."""

    user: str
    id: int
    edition_id: int
    shot_id: int
    name: str
    tier: str
    state: str
    reason: str
    reservation: str | None
    gpu_microseconds: int
    micro_usd: int


def _asked(
    transaction: Transaction, edition: EditionKey, render_key: str
) -> tuple[_Wish, TakeState | None]:
    """What the edition asks for, and the take that is accepted or runs: shot and account locked.

    Everybody locks in this order: account, shot, rows.
    """
    names = {
        "tenant": edition.tenant,
        "campaign": edition.campaign,
        "edition": edition.edition,
        "render_key": render_key,
    }
    found = transaction.execute(_ASKED_FOR, names).one_or_none()
    if found is None:
        raise NotAdmitted(f"Edition {edition} does not ask for shot {render_key[:12]} (any more).")
    edition_id, user, shot_id = found
    lock_account(transaction, edition.tenant)
    lock_rows(transaction, _LOCK_SHOT, {"shot": shot_id})
    rows = transaction.execute(_LOCK_WISHES, {"edition": edition_id, "shot": shot_id}).all()
    wishes = [_Wish(user, *row[: len(_WISH)]) for row in rows]
    for wish, row in zip(wishes, rows, strict=True):
        if wish.state in ("admitted", "reused"):
            take = row[len(_WISH) :]
            return wish, TakeState(*take) if take[0] else None
    raise _not_admitted(edition, wishes)


def _not_admitted(edition: EditionKey, wishes: Sequence[_Wish]) -> LedgerError:
    if not wishes:
        return NotAdmitted(f"Edition {edition} was changed and asks for another shot now.")
    wish = wishes[0]
    kind = QuotaExceeded if wish.state == "refused" else NotAdmitted
    return kind(f"Shot {wish.name} of edition {edition} is {wish.state}: {wish.reason}.")


def _check_budgets(
    transaction: Transaction, edition: EditionKey, wish: _Wish, now: datetime
) -> None:
    """What runs is finished, and nothing more is begun, once a budget is used up."""
    for standing in binding(transaction, edition, now):
        if not standing.may_begin:
            refusal = standing.refusal(Amount(1, wish.gpu_microseconds, wish.micro_usd))
            raise QuotaExceeded(f"Shot {wish.name} is not begun: {refusal}.")


def _expiry(take: TakeState) -> datetime:
    return from_micros(take.lease_expires_at or 0)


def _note_done(transaction: Transaction, wish: _Wish, accepted: TakeState, now: datetime) -> None:
    """Give back what was reserved for a shot that was rendered elsewhere meanwhile."""
    if wish.reservation is not None:
        release(transaction, [wish.reservation], now)
        change_wish(transaction, wish.id, {"reservation": None})
    if accepted.edition_id != wish.edition_id and wish.state != "reused":
        change_wish(transaction, wish.id, reused(now))


def _reservation_of(transaction: Transaction, tenant: str, wish: _Wish, now: datetime) -> str:
    """The shot's reservation; a new one if its last take failed, or its reused one was given up."""
    if wish.reservation is not None:
        return wish.reservation
    account = account_of(transaction, tenant, wish.user, now)
    amount = Amount(1, wish.gpu_microseconds, wish.micro_usd)
    lack = first_lack(left_of(transaction, account, now), amount)
    if lack:
        raise QuotaExceeded(f"Shot {wish.name} is not rendered again: {lack.refusal(amount)}.")
    (reservation,) = reserve(transaction, account, [amount], now)
    admitted = {"state": "admitted", "reason": "", "updated_at": to_micros(now)}
    change_wish(transaction, wish.id, {"reservation": reservation, **admitted})
    return reservation


# Statements of the hot path are built once, and of tables: to build one or to track objects takes
# longer than to run it.
_EDITIONS, _SHOTS, _TAKES = table(EditionRow), table(ShotRow), table(TakeRow)
_WISHES = table(EditionShotRow)
_WISH = tuple(_WISHES.c[name] for name in _Wish.__slots__ if name in _WISHES.c)
_BEGIN_TAKE = insert(_TAKES)
_LOCK_SHOT = (
    select(_SHOTS.c.id).where(_SHOTS.c.id == bindparam("shot")).with_for_update(key_share=True)
)
_ASKED_FOR = (
    select(_EDITIONS.c.id, _EDITIONS.c.user, _SHOTS.c.id)
    .join(_WISHES, _WISHES.c.edition_id == _EDITIONS.c.id)
    .join(_SHOTS, _SHOTS.c.id == _WISHES.c.shot_id)
    .where(
        _EDITIONS.c.tenant == bindparam("tenant"),
        _EDITIONS.c.campaign == bindparam("campaign"),
        _EDITIONS.c.edition == bindparam("edition"),
        _SHOTS.c.tenant == bindparam("tenant"),
        _SHOTS.c.render_key == bindparam("render_key"),
    )
    .limit(1)
)
_LOCK_WISHES = (
    select(*_WISH, *TAKE_STATE)
    .outerjoin(
        _TAKES,
        (_TAKES.c.shot_id == _WISHES.c.shot_id) & _TAKES.c.outcome.in_(("accepted", "running")),
    )
    .where(
        _WISHES.c.edition_id == bindparam("edition"),
        _WISHES.c.shot_id == bindparam("shot"),
    )
    .order_by(_WISHES.c.position)
    .with_for_update(of=_WISHES, key_share=True)
)
