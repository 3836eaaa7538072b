"""What is gone of budgets: paid to workers, and reserved for shots that wait.

Quotas count what takes are expected to take and then took; budgets count all that workers are paid,
loading and waiting included. So neither is the sum of the other's entries.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, select
from sqlalchemy.orm import Session

from wan_pipelines.ledger.budgets import BudgetKey, BudgetStanding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.limits import Window
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.sql_money import cost_of
from wan_pipelines.ledger.statements import Transaction, table
from wan_pipelines.ledger.tables import (
    EditionRow,
    EditionShotRow,
    PriceRow,
    QuotaEntryRow,
    WorkerRow,
)
from wan_pipelines.ledger.tables.spending import CLOSES


def with_paid(transaction: Transaction, standing: BudgetStanding) -> BudgetStanding:
    """A standing with what was paid of its budget."""
    return replace(standing, paid=_sum(transaction, _PAID, standing))


def with_reserved(transaction: Transaction, standing: BudgetStanding) -> BudgetStanding:
    """A standing with what is reserved of its budget, which takes longer to find."""
    return replace(standing, reserved=_sum(transaction, _WAITS, standing))


def all_with_sums(
    session: Session, fresh: Sequence[BudgetStanding], since: datetime
) -> Iterator[BudgetStanding]:
    """The same of budgets of one tenant, of editions admitted `since`: in three questions in all,
    however many they are.
    """
    tenant = fresh[0].key.tenant
    month = next((each.window for each in fresh if each.window), None)
    names = {"tenant": tenant, "since": to_micros(since), **_bounds(month)}
    paid: Counter[BudgetKey] = Counter()
    for micro_usd, campaign, edition in session.execute(_PAID_BY_EDITION, names):
        paid[BudgetKey(tenant, campaign, edition)] += int(micro_usd)
    if month:
        names["since"] = 0  # what waits in editions of any age counts in a month
        for micro_usd, campaign in session.execute(_PAID_BY_CAMPAIGN, names):
            for key in {BudgetKey(tenant), BudgetKey(tenant, campaign or "")}:
                paid[key] += int(micro_usd)
    reserved: Counter[BudgetKey] = Counter()
    for micro_usd, campaign, edition in session.execute(_WAITS_BY_EDITION, names):
        key = BudgetKey(tenant, campaign, edition)
        for of in (key, key._replace(edition=""), BudgetKey(tenant)):
            reserved[of] += int(micro_usd)
    for each in fresh:
        yield replace(each, paid=paid[each.key], reserved=reserved[each.key])


def edition_paid(ledger: Ledger, edition: EditionKey) -> int:
    """Micro-dollars that the workers of an edition were paid until now, if it has begun at all."""
    key = BudgetKey(edition.tenant, edition.campaign, edition.edition)
    with ledger.look(edition.tenant) as transaction:
        return int(transaction.execute(_PAID["edition"], key._asdict()).scalar_one())


def _sum(
    transaction: Transaction, questions: Mapping[str, Select[tuple[int]]], standing: BudgetStanding
) -> int:
    names = {**standing.key._asdict(), **_bounds(standing.window)}
    return int(transaction.execute(questions[_kind(standing.key)], names).scalar_one())


def _bounds(window: Window | None) -> dict[str, int]:
    if window is None:
        return {}
    return {"first": to_micros(window.begins_at), "after": to_micros(window.resets_at)}


def _kind(key: BudgetKey) -> str:
    if key.edition:
        return "edition"
    return "campaign" if key.campaign else "tenant"


_EDITIONS, _WORKERS, _PRICES = table(EditionRow), table(WorkerRow), table(PriceRow)
_WISHES, _ENTRIES = table(EditionShotRow), table(QuotaEntryRow)

_HELD = _WORKERS.c.gpu_count * (_WORKERS.c.heartbeat_at - _WORKERS.c.started_at)
_UNTIL_NOW = cost_of(_HELD, _PRICES.c.micro_usd_per_gpu_hour)
"""Of a worker that is still paid: until its last sign of life."""
_PAYING = (
    select(
        func.coalesce(
            func.sum(
                case((_WORKERS.c.ended_at.is_(None), _UNTIL_NOW), else_=_WORKERS.c.paid_micro_usd)
            ),
            0,
        )
    )
    .join_from(_WORKERS, _PRICES, _PRICES.c.id == _WORKERS.c.price_id)
    .where(_WORKERS.c.tenant == bindparam("tenant"))
)
_CLOSING = _ENTRIES.alias("closing")
IS_CLOSED = exists().where(
    _CLOSING.c.tenant == bindparam("tenant"),
    _CLOSING.c.reservation == _WISHES.c.reservation,
    CLOSES,  # in the words of its index: else SQLite would go through all that a tenant reserved
)
"""Of an edition's row: is its reservation settled or given back?"""
_WAITING = (
    select(func.coalesce(func.sum(_WISHES.c.micro_usd), 0))
    .join_from(_WISHES, _EDITIONS, _EDITIONS.c.id == _WISHES.c.edition_id)
    .where(
        _EDITIONS.c.tenant == bindparam("tenant"),
        _WISHES.c.reservation.is_not(None),
        ~IS_CLOSED,
    )
)
_OF_CAMPAIGN = _EDITIONS.c.campaign == bindparam("campaign")
_OF_EDITION = _OF_CAMPAIGN & (_EDITIONS.c.edition == bindparam("edition"))
_IN_MONTH = _WORKERS.c.started_at.between(bindparam("first"), bindparam("after") - 1)
_SINCE = _EDITIONS.c.admitted_at >= bindparam("since")
_ITS_WORKERS = (_EDITIONS.c.id == _WORKERS.c.edition_id) & (_EDITIONS.c.tenant == _WORKERS.c.tenant)


def _of_workers_in(condition: ColumnElement[bool]) -> Select[tuple[int]]:
    return _PAYING.join(_EDITIONS, _ITS_WORKERS).where(condition)


def _by(query: Select[tuple[int]], *columns: ColumnElement[str]) -> Select[tuple[int, str, str]]:
    return query.add_columns(*columns).group_by(*columns)


_PAID: Mapping[str, Select[tuple[int]]] = {
    "edition": _of_workers_in(_OF_EDITION),
    "campaign": _of_workers_in(_OF_CAMPAIGN & _IN_MONTH),
    "tenant": _PAYING.where(_IN_MONTH),
}
_WAITS: Mapping[str, Select[tuple[int]]] = {
    "edition": _WAITING.where(_OF_EDITION),
    "campaign": _WAITING.where(_OF_CAMPAIGN),
    "tenant": _WAITING,
}
_NAMES = (_EDITIONS.c.campaign, _EDITIONS.c.edition)
_PAID_BY_EDITION = _by(_of_workers_in(_SINCE), *_NAMES)
_PAID_BY_CAMPAIGN = _by(
    _PAYING.outerjoin(_EDITIONS, _ITS_WORKERS).where(_IN_MONTH), _EDITIONS.c.campaign
)
_WAITS_BY_EDITION = _by(_WAITING.where(_SINCE), *_NAMES)
