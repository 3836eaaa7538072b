"""How a take ends, and what becomes of the quota that was reserved for its shot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, bindparam, select, update

from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.quotas import release, settle
from wan_pipelines.ledger.statements import Transaction, lock_rows, table
from wan_pipelines.ledger.tables import EditionShotRow, ShotRow, TakeRow

Ending = Literal["accepted", "failed", "abandoned"]


@dataclass(frozen=True, slots=True)
class TakeState:
    """What of a take decides how it goes on; `lease_expires_at` in microseconds."""

    id: str
    tenant: str
    outcome: str
    shot_id: int
    edition_id: int
    reservation: str
    lease_expires_at: int | None


def lock_take(transaction: Transaction, tenant: str, take_id: str) -> TakeState | None:
    """A tenant's take as it is now, with its shot locked: takes of a shot change one at a time."""
    of_take = {"take": take_id, "tenant": tenant}
    lock_rows(transaction, _LOCK_SHOT, of_take)
    found = transaction.execute(_LOCK_TAKE, of_take).one_or_none()
    return TakeState(*found) if found else None


def change_take(transaction: Transaction, take: TakeState, values: Mapping[str, Any]) -> None:
    """Give columns of a take, whose shot the caller has locked, other values."""
    transaction.execute(_CHANGE_TAKE, {"take": take.id, "its_tenant": take.tenant, **values})


def change_wish(transaction: Transaction, row_id: int, values: Mapping[str, Any]) -> None:
    """Give columns of an edition's row, whose shot the caller has locked, other values."""
    transaction.execute(_CHANGE_WISH, {"row": row_id, **values})


def end_take(
    transaction: Transaction,
    take: TakeState,
    ending: Ending,
    now: datetime,
    report: Mapping[str, Any] | None = None,
) -> None:
    """End a running take whose shot the caller has locked; `report` are other columns of it.

    An accepted take settles its reservation, and all other editions that wait for the shot reuse
    it and get theirs back. A failed take releases its reservation. An abandoned one leaves it to
    the next take, unless the edition does not want the shot any more.
    """
    ended = {"outcome": ending, "lease_expires_at": None, "ended_at": to_micros(now)}
    change_take(transaction, take, {**(report or {}), **ended})
    waiting = transaction.execute(_WAITING, {"shot": take.shot_id}).all()
    own = [row for row in waiting if row.reservation == take.reservation]
    if ending == "abandoned" and own:
        return
    if ending == "accepted":
        settle(transaction, take.tenant, take.id, now)
    else:
        release(transaction, [take.reservation], now)
    for row in own:
        change_wish(transaction, row.id, {"reservation": None})
    if ending == "accepted":
        _let_reuse(transaction, [row for row in waiting if row not in own], take, now)


def reused(now: datetime) -> dict[str, Any]:
    """The columns of a row whose shot another edition has rendered meanwhile."""
    return {
        "state": "reused",
        "reason": "already rendered by another edition",
        "updated_at": to_micros(now),
    }


def _let_reuse(
    transaction: Transaction, waiting: Sequence[Row[Any]], take: TakeState, now: datetime
) -> None:
    release(transaction, [row.reservation for row in waiting], now)
    for row in waiting:
        values = reused(now) if row.edition_id != take.edition_id else {}
        change_wish(transaction, row.id, {"reservation": None, **values})


# Statements of the hot path are built once, and of tables: to build one or to track objects takes
# longer than to run it.
_SHOTS, _TAKES, _WISHES = table(ShotRow), table(TakeRow), table(EditionShotRow)
TAKE_STATE = tuple(_TAKES.c[name] for name in TakeState.__slots__)
_THIS_TAKE = (_TAKES.c.id == bindparam("take"), _TAKES.c.tenant == bindparam("tenant"))
_LOCK_SHOT = (
    select(_SHOTS.c.id)
    .join(_TAKES, _TAKES.c.shot_id == _SHOTS.c.id)
    .where(*_THIS_TAKE)
    .with_for_update(of=_SHOTS, key_share=True)
)
_LOCK_TAKE = select(*TAKE_STATE).where(*_THIS_TAKE).with_for_update(key_share=True)
_CHANGE_TAKE = update(_TAKES).where(
    _TAKES.c.id == bindparam("take"), _TAKES.c.tenant == bindparam("its_tenant")
)
_CHANGE_WISH = update(_WISHES).where(_WISHES.c.id == bindparam("row"))
_WAITING = (
    select(_WISHES.c.id, _WISHES.c.edition_id, _WISHES.c.reservation)
    .where(_WISHES.c.shot_id == bindparam("shot"), _WISHES.c.reservation.is_not(None))
    .order_by(_WISHES.c.id)
    .with_for_update(key_share=True)
)
