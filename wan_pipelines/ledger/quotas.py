"""Quotas: what is reserved at admission, and settled or released exactly once.

An entry is never changed. `reserve` counts one shot, and the GPU time and money it is expected to
take, on the tenant's local day of the reservation. `settle` closes it and counts the difference
to what its take really took, `release` closes it and counts all of it back; both on the same day.
What is used of a window is the sum of its entries.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Select,
    String,
    bindparam,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session

from wan_pipelines.ledger.amounts import MEASURES, Amount
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.limits import Limit, Scope, Window, local_day, window_of
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.remainders import QuotaLeft
from wan_pipelines.ledger.sql_money import cost_of
from wan_pipelines.ledger.statements import Transaction, chunks, table
from wan_pipelines.ledger.tables import PriceRow, QuotaEntryRow, TakeRow, WorkerRow
from wan_pipelines.ledger.tables.takes import RUNNING
from wan_pipelines.ledger.taken import STAGE_MICROSECONDS
from wan_pipelines.ledger.tenants import Account, account_of

Closing = Literal["settle", "release"]


def quota_left(ledger: Ledger, tenant: str, user: str, *, now: datetime) -> QuotaLeft:
    """How many shots a user has used and may still render today."""
    with ledger.read(tenant) as session:
        return left_today(session, account_of(session, tenant, user, now), now)


def quotas_left(ledger: Ledger, tenant: str, user: str, *, now: datetime) -> tuple[QuotaLeft, ...]:
    """What is left of every limit that binds a user, known or not, a user's shots of today first.

    These are told even where there is no limit.
    """
    with ledger.read(tenant) as session:
        account = account_of(session, tenant, user, now, known=False)
        today = left_today(session, account, now)
        others = [each for each in left_of(session, account, now) if each != today]
    return (today, *others)


def left_today(transaction: Transaction, account: Account, now: datetime) -> QuotaLeft:
    """As `quota_left`, inside a transaction."""
    limit = Limit("user_day", "shots", account.most("user_day", "shots"))
    (found,) = _left(transaction, account, [limit], now)
    return found


def left_of(transaction: Transaction, account: Account, now: datetime) -> tuple[QuotaLeft, ...]:
    """What is left of each limit there is, inside a transaction."""
    return _left(transaction, account, account.limits, now)


def reserve(
    transaction: Transaction, account: Account, amounts: Sequence[Amount], now: datetime
) -> list[str]:
    """A reservation of each amount; the caller has locked the account and looked at what is left.

    An amount is of one shot.
    """
    reservations = [uuid4().hex for _ in amounts]
    entry = {
        "tenant": account.tenant,
        "user": account.user,
        "day": local_day(now, account.zone),
        "kind": "reserve",
        "created_at": to_micros(now),
    }
    rows = [
        {**entry, "reservation": reservation}
        | {measure: amount.of(measure) for measure in MEASURES}
        for reservation, amount in zip(reservations, amounts, strict=True)
    ]
    if rows:
        transaction.execute(_RESERVE, rows)
    return reservations


def settle(transaction: Transaction, tenant: str, take_id: str, now: datetime) -> None:
    """Close the reservation of a tenant's accepted take, with what it took as its row tells it.

    The database refuses to close one twice.
    """
    values = {"take": take_id, "its_tenant": tenant, "moment": to_micros(now)}
    transaction.execute(_SETTLE, values)


def release(transaction: Transaction, reservations: Iterable[str], now: datetime) -> None:
    """Close open reservations and count them back; the database refuses to close one twice."""
    for some in chunks(list(reservations)):
        transaction.execute(_RELEASE, {"reservations": some, "moment": to_micros(now)})


def release_unless_running(session: Session, reservations: Sequence[str], now: datetime) -> None:
    """Release what waits; what a running take holds is closed when that take ends."""
    running: set[str] = set()
    for some in chunks(reservations):
        held = select(TakeRow.reservation).where(RUNNING, TakeRow.reservation.in_(some))
        running.update(session.scalars(held))
    release(session, [each for each in reservations if each not in running], now)


def _left(
    transaction: Transaction, account: Account, limits: Sequence[Limit], now: datetime
) -> tuple[QuotaLeft, ...]:
    windows: dict[Scope, Window] = {
        limit.scope: window_of(limit.scope, now, account.zone) for limit in limits
    }
    used = _used(transaction, account, windows)
    return tuple(
        QuotaLeft.of(account, limit, windows[limit.scope], used[limit.scope].of(limit.measure))
        for limit in limits
    )


def _used(
    transaction: Transaction, account: Account, windows: Mapping[Scope, Window]
) -> dict[Scope, Amount]:
    """What each window has used of each measure; all in one question."""
    if not windows:
        return {}
    values = {
        "tenant": account.tenant,
        "user": account.user,
        "first": min(window.first_day for window in windows.values()),
        "last": max(window.last_day for window in windows.values()),
    }
    query = _DAYS_OF_USER if windows.keys() == {"user_day"} else _DAYS
    days = [
        _Used(day, own, Amount(*map(int, sums)))
        for day, own, *sums in transaction.execute(query, values)
    ]
    return {
        scope: sum((each.amount for each in days if each.counts(scope, window)), start=Amount())
        for scope, window in windows.items()
    }


class _Used(NamedTuple):
    """What a local day has used, of the user who asks (`own`) or of all others."""

    day: str
    own: bool
    amount: Amount

    def counts(self, scope: Scope, window: Window) -> bool:
        return window.first_day <= self.day <= window.last_day and (self.own or scope != "user_day")


_ENTRIES = table(QuotaEntryRow)
# Added up by day first: what a month has used are three sums for each entry, not for each window.
_OWN = (_ENTRIES.c.user == bindparam("user")).label("own")
_DAYS = (
    select(_ENTRIES.c.day, _OWN, *(func.sum(_ENTRIES.c[measure]) for measure in MEASURES))
    .where(
        _ENTRIES.c.tenant == bindparam("tenant"),
        _ENTRIES.c.day.between(bindparam("first"), bindparam("last")),
    )
    .group_by(_ENTRIES.c.day, _OWN)
)
_DAYS_OF_USER = _DAYS.where(_ENTRIES.c.user == bindparam("user"))
_NAMES = ("tenant", "user", "day", "kind", *MEASURES, "reservation", "created_at")


def _closing(kind: Closing, counts: Sequence[ColumnElement[int]]) -> Select[tuple[object, ...]]:
    return select(
        _ENTRIES.c.tenant,
        _ENTRIES.c.user,
        _ENTRIES.c.day,
        literal(kind, String()),
        *counts,
        _ENTRIES.c.reservation,
        bindparam("moment", type_=BigInteger()),
    ).where(_ENTRIES.c.kind == "reserve")


def _releasing() -> Insert:
    chosen = _ENTRIES.c.reservation.in_(bindparam("reservations", expanding=True))
    query = _closing("release", [-_ENTRIES.c[measure] for measure in MEASURES]).where(chosen)
    return insert(_ENTRIES).from_select(_NAMES, query)


def _settling() -> Insert:
    """The difference between what a take took and what was reserved for it."""
    takes, workers, prices = table(TakeRow).c, table(WorkerRow).c, table(PriceRow).c
    took = workers.gpu_count * STAGE_MICROSECONDS
    cost = cost_of(took, prices.micro_usd_per_gpu_hour)
    counts = [
        literal(0, BigInteger()),
        took - _ENTRIES.c.gpu_microseconds,
        cost - _ENTRIES.c.micro_usd,
    ]
    query = (
        _closing("settle", counts)
        .join_from(_ENTRIES, table(TakeRow), takes.reservation == _ENTRIES.c.reservation)
        .join(table(WorkerRow), workers.id == takes.worker_id)
        .join(table(PriceRow), prices.id == workers.price_id)
        .where(takes.id == bindparam("take"), takes.tenant == bindparam("its_tenant"))
    )
    return insert(_ENTRIES).from_select(_NAMES, query)


_RESERVE = insert(_ENTRIES)
_SETTLE = _settling()
_RELEASE = _releasing()
