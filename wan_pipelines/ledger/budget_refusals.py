"""Shots that wait for a budget: refused once it is used up, admitted again after it was raised.

Without this a launch would start workers for them, which are paid, and which begin nothing.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Row, bindparam, exists, select, update

from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.budget_rows import binding, changed_at, would_bind
from wan_pipelines.ledger.budget_sums import IS_CLOSED
from wan_pipelines.ledger.budgets import Budgets, BudgetStanding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.outages import repeated
from wan_pipelines.ledger.quotas import left_of, release
from wan_pipelines.ledger.remainders import Remainder, first_lack
from wan_pipelines.ledger.statements import Transaction, storable, table
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, TakeRow
from wan_pipelines.ledger.tables.takes import RUNNING
from wan_pipelines.ledger.tenants import account_of, lock_account


@repeated
def refuse_beyond_budget(ledger: Ledger, edition: EditionKey, *, now: datetime) -> int:
    """Refuse what waits in an edition if a budget that binds it is used up; how many shots.

    They give back what they reserved. What runs is left alone.
    """
    with ledger.change(edition.tenant) as transaction:
        lock_account(transaction, edition.tenant)
        return refuse_waiting(transaction, edition, binding(transaction, edition, now), now)


def refuse_waiting(
    transaction: Transaction,
    edition: EditionKey,
    standings: Iterable[BudgetStanding],
    now: datetime,
) -> int:
    """As `refuse_beyond_budget`, inside a transaction that has locked the account."""
    gone = [standing for standing in standings if not standing.may_begin]
    if not gone:
        return 0
    lacking = max(gone, key=lambda standing: standing.resets_at)
    waiting = transaction.execute(_WAITING, edition.names).all()
    changes = []
    for row in waiting:
        amount = Amount(1, row.gpu_microseconds, row.micro_usd)
        may_run_at = lacking.may_run_at(amount)
        changes.append(
            {
                "row": row.id,
                "reason": storable(lacking.refusal(amount)),
                "may_run_at": None if may_run_at is None else to_micros(may_run_at),
                "updated_at": to_micros(now),
            }
        )
    release(transaction, [row.reservation for row in waiting], now)
    if changes:
        transaction.execute(_REFUSE, changes)
    return len(changes)


def admissible_again(
    ledger: Ledger, edition: EditionKey, budgets: Budgets, *, now: datetime
) -> frozenset[str]:
    """Names of refused shots that would pass now, since a window has begun anew or a budget was
    changed: to `budgets`, or since they were refused.

    What is merely left, as takes took less than was reserved for them, is not worth a worker's
    start.
    """
    with ledger.look(edition.tenant) as transaction:
        refused = transaction.execute(_REFUSED, edition.names).all()
        changed = changed_at(transaction, edition, budgets, now) if refused else None
        since, moment = (0 if each is None else to_micros(each) for each in (changed, now))
        hopeful = [row for row in refused if row.updated_at < since or _is_due(row, moment)]
        if not hopeful:
            return frozenset()
        account = account_of(transaction, edition.tenant, edition.user, now)
        remainders: list[Remainder] = [
            *left_of(transaction, account, now),
            *would_bind(transaction, edition, budgets, account.zone, now),
        ]
    names: set[str] = set()
    for row in hopeful:
        amount = Amount(1, row.gpu_microseconds, row.micro_usd)
        if first_lack(remainders, amount) is None:
            names.add(row.name)
            remainders = [remainder.less(amount) for remainder in remainders]
    return frozenset(names)


def _is_due(row: Row[tuple[object, ...]], moment: int) -> bool:
    return row.may_run_at is not None and row.may_run_at <= moment


_WISHES, _EDITIONS, _TAKES = table(EditionShotRow), table(EditionRow), table(TakeRow)
_IS_RUNNING = exists().where(
    _TAKES.c.tenant == bindparam("tenant"), RUNNING, _TAKES.c.reservation == _WISHES.c.reservation
)
_OF_EDITION = (
    select(
        _WISHES.c.id,
        _WISHES.c.name,
        _WISHES.c.reservation,
        _WISHES.c.gpu_microseconds,
        _WISHES.c.micro_usd,
        _WISHES.c.may_run_at,
        _WISHES.c.updated_at,
    )
    .join_from(_WISHES, _EDITIONS, _EDITIONS.c.id == _WISHES.c.edition_id)
    .where(*(_EDITIONS.c[name] == bindparam(name) for name in ("tenant", "campaign", "edition")))
    .order_by(_WISHES.c.position)
)
_REFUSED = _OF_EDITION.where(_WISHES.c.state == "refused")
_WAITING = _OF_EDITION.where(
    _WISHES.c.state == "admitted", _WISHES.c.reservation.is_not(None), ~IS_CLOSED, ~_IS_RUNNING
).with_for_update(of=_WISHES, key_share=True)
_REFUSE = (
    update(_WISHES)
    .where(_WISHES.c.id == bindparam("row"))
    .values(
        state="refused",
        reservation=None,
        reason=bindparam("reason"),
        may_run_at=bindparam("may_run_at"),
        updated_at=bindparam("updated_at"),
    )
)
