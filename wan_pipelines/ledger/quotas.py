"""Quota of shots per user and day: reserved at admission, settled or released exactly once.

An entry is never changed. `reserve` counts +1 on the tenant's local day of the reservation;
`settle` closes it and counts 0; `release` closes it and counts -1 on the same day. What is used
of a day is the sum of its entries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal, Self
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    String,
    bindparam,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.statements import Transaction, chunks, table
from wan_pipelines.ledger.tables import QuotaEntryRow, TakeRow
from wan_pipelines.ledger.tables.takes import RUNNING
from wan_pipelines.ledger.tenants import Account, account_of

Closing = Literal["settle", "release"]


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """What a user may still render on `day`; `limit` and `left` are `None` without a limit."""

    tenant: str
    user: str
    plan: str
    day: str
    time_zone: str
    limit: int | None
    used: int
    left: int | None
    resets_at: datetime

    @property
    def refusal(self) -> str:
        """Why one more shot is refused: which limit, what is left, when it may run."""
        resets = self.resets_at.astimezone(ZoneInfo(self.time_zone))
        return (
            f"limit of {self.limit} shots a day for user {self.user} (plan {self.plan}): "
            f"{self.left} left on {self.day}; may run from {resets:%Y-%m-%d %H:%M %Z}"
        )

    def less(self, shots: int) -> Self:
        """The same after `shots` more have been reserved."""
        left = None if self.left is None else self.left - shots
        return replace(self, used=self.used + shots, left=left)


def local_day(moment: datetime, zone: ZoneInfo) -> str:
    """The ISO date of a moment in a time zone."""
    return moment.astimezone(zone).date().isoformat()


def next_midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    """When the next local day begins, in UTC.

    Where clocks jump over midnight, the day begins with the jump; where midnight comes twice,
    with the first.
    """
    tomorrow = moment.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, tzinfo=zone).astimezone(UTC)


def quota_left(ledger: Ledger, tenant: str, user: str, *, now: datetime) -> QuotaLeft:
    """What a user has used and may still render today."""
    with ledger.read() as session:
        return left_of(session, account_of(session, tenant, user), now)


def left_of(transaction: Transaction, account: Account, now: datetime) -> QuotaLeft:
    """As `quota_left`, inside a transaction."""
    day = local_day(now, account.zone)
    used = transaction.execute(
        select(func.coalesce(func.sum(QuotaEntryRow.shots), 0)).where(
            QuotaEntryRow.tenant == account.tenant,
            QuotaEntryRow.user == account.user,
            QuotaEntryRow.day == day,
        )
    ).scalar_one()
    limit = account.shots_per_user_day
    return QuotaLeft(
        tenant=account.tenant,
        user=account.user,
        plan=account.plan,
        day=day,
        time_zone=account.zone.key,
        limit=limit,
        used=int(used),
        left=None if limit is None else max(0, limit - int(used)),
        resets_at=next_midnight(now, account.zone),
    )


def reserve(transaction: Transaction, quota: QuotaLeft, count: int, now: datetime) -> list[str]:
    """Reserve `count` shots; the caller has locked the account and looked at what is left."""
    reservations = [uuid4().hex for _ in range(count)]
    entry = {
        "tenant": quota.tenant,
        "user": quota.user,
        "day": quota.day,
        "kind": "reserve",
        "shots": 1,
        "created_at": to_micros(now),
    }
    if reservations:
        rows = [{**entry, "reservation": reservation} for reservation in reservations]
        transaction.execute(insert(table(QuotaEntryRow)), rows)
    return reservations


def close(
    transaction: Transaction, reservations: Iterable[str], kind: Closing, now: datetime
) -> None:
    """Settle or release open reservations; the database refuses to close one twice."""
    for some in chunks(list(reservations)):
        values = {"reservations": some, "moment": to_micros(now)}
        transaction.execute(_SETTLE if kind == "settle" else _RELEASE, values)


def release_unless_running(session: Session, reservations: Sequence[str], now: datetime) -> None:
    """Release what waits; what a running take holds is closed when that take ends."""
    running: set[str] = set()
    for some in chunks(reservations):
        held = select(TakeRow.reservation).where(RUNNING, TakeRow.reservation.in_(some))
        running.update(session.scalars(held))
    close(session, [each for each in reservations if each not in running], "release", now)


def _closing(kind: Closing, shots: ColumnElement[int]) -> Insert:
    entries = table(QuotaEntryRow)
    columns = entries.c
    reserved = select(
        columns.tenant,
        columns.user,
        columns.day,
        literal(kind, String()),
        shots,
        columns.reservation,
        bindparam("moment", type_=BigInteger()),
    ).where(
        columns.reservation.in_(bindparam("reservations", expanding=True)),
        columns.kind == "reserve",
    )
    names = ["tenant", "user", "day", "kind", "shots", "reservation", "created_at"]
    return insert(entries).from_select(names, reserved)


_SETTLE = _closing("settle", literal(0, BigInteger()))
_RELEASE = _closing("release", -table(QuotaEntryRow).c.shots)
