"""The rows behind budgets: as they were declared, and what of them is gone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.orm import Session

from wan_pipelines.ledger.budgets import Budget, BudgetKey, Budgets, BudgetStanding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR
from wan_pipelines.ledger.statements import Transaction, table, upsert
from wan_pipelines.ledger.tables import (
    BudgetRow,
    EditionRow,
    EditionShotRow,
    PriceRow,
    QuotaEntryRow,
    TenantRow,
    WorkerRow,
)
from wan_pipelines.ledger.whose import Asked, tenant_of


def bind(
    session: Session, edition: EditionKey, budgets: Budgets, zone: ZoneInfo, now: datetime
) -> tuple[BudgetStanding, ...]:
    """Make the budgets of an edition and its campaign what is declared, and see where they stand
    that bind it, its tenant's included.
    """
    campaign = BudgetKey(edition.tenant, edition.campaign)
    declared = {
        campaign: budgets.month,
        campaign._replace(edition=edition.edition): budgets.edition,
    }
    rows = session.execute(_BINDING, _names(edition)).all()
    known = {_key(row): _budget(row) for row in rows}
    for key, budget in declared.items():
        if known.get(key) != budget:
            keep_budget(session, key, budget, now)
    bound = {key: budget for key, budget in {**known, **declared}.items() if budget}
    return tuple(
        _standing(session, BudgetStanding.of(key, budget, zone.key, now), reserved=True)
        for key, budget in bound.items()
    )


def keep_budget(session: Session, key: BudgetKey, budget: Budget | None, now: datetime) -> None:
    """Make a budget what is declared; without one there is none any more."""
    if budget is None:
        session.execute(delete(BudgetRow).filter_by(**key._asdict()))
        return
    moment = to_micros(now)
    said = {
        **key._asdict(),
        "micro_usd": budget.whole,
        "notify_micro_usd": list(budget.notify),
        "finish_micro_usd": budget.finish,
        "stop_micro_usd": budget.stop,
        "updated_at": moment,
        "created_at": moment,
    }
    upsert(session, BudgetRow, BudgetKey._fields, said)


def declared_budgets(session: Session) -> dict[BudgetKey, Budget]:
    """Those of all tenants, campaigns and editions."""
    return {_key(row): _budget(row) for row in session.execute(select(_BUDGETS))}


def binding(
    transaction: Transaction, edition: EditionKey, now: datetime, *, reserved: bool = True
) -> tuple[BudgetStanding, ...]:
    """Where the budgets stand that bind an edition: its own, its campaign's, its tenant's.

    What is `reserved` takes longer to find than what was paid.
    """
    rows = transaction.execute(_BINDING, _names(edition)).all()
    return tuple(_standing(transaction, _fresh(row, now), reserved=reserved) for row in rows)


def budgets_of(
    ledger: Ledger, whose: Asked, since: datetime, *, now: datetime
) -> tuple[BudgetStanding, ...]:
    """Where the budgets of tenants and their campaigns stand, and of editions admitted `since`."""
    admitted = exists().where(
        _EDITIONS.c.tenant == _BUDGETS.c.tenant,
        _EDITIONS.c.campaign == _BUDGETS.c.campaign,
        _EDITIONS.c.edition == _BUDGETS.c.edition,
        _EDITIONS.c.admitted_at >= to_micros(since),
    )
    recent = _WITH_ZONE.where((_BUDGETS.c.edition == "") | admitted)
    tenant = tenant_of(whose)
    with ledger.read(whose) as session:
        rows = session.execute(
            recent if tenant is None else recent.where(_BUDGETS.c.tenant == tenant)
        ).all()
        return tuple(_standing(session, _fresh(row, now), reserved=True) for row in rows)


def _standing(transaction: Transaction, fresh: BudgetStanding, *, reserved: bool) -> BudgetStanding:
    """With what is gone of it."""
    kind, names = _kind(fresh.key), fresh.key._asdict()
    if fresh.window:
        names["first"] = to_micros(fresh.window.begins_at)
        names["after"] = to_micros(fresh.window.resets_at)
    paid = transaction.execute(_PAID[kind], names).scalar_one()
    waits = transaction.execute(_WAITS[kind], names).scalar_one() if reserved else 0
    return replace(fresh, paid=int(paid), reserved=int(waits))


def _fresh(row: Row[tuple[object, ...]], now: datetime) -> BudgetStanding:
    return BudgetStanding.of(_key(row), _budget(row), row.time_zone, now)


def _names(edition: EditionKey) -> dict[str, str]:
    return {"tenant": edition.tenant, "campaign": edition.campaign, "edition": edition.edition}


def _key(row: Row[tuple[object, ...]]) -> BudgetKey:
    return BudgetKey(row.tenant, row.campaign, row.edition)


def _budget(row: Row[tuple[object, ...]]) -> Budget:
    notify = tuple(row.notify_micro_usd)
    return Budget(row.micro_usd, notify, row.finish_micro_usd, row.stop_micro_usd)


def _kind(key: BudgetKey) -> str:
    if key.edition:
        return "edition"
    return "campaign" if key.campaign else "tenant"


_BUDGETS, _EDITIONS = table(BudgetRow), table(EditionRow)
_WORKERS, _PRICES = table(WorkerRow), table(PriceRow)
_WISHES, _ENTRIES = table(EditionShotRow), table(QuotaEntryRow)

_WITH_ZONE = (
    select(_BUDGETS, TenantRow.time_zone)
    .join(TenantRow, TenantRow.name == _BUDGETS.c.tenant)
    .order_by(_BUDGETS.c.tenant, _BUDGETS.c.campaign, _BUDGETS.c.edition)
)
_BINDING = _WITH_ZONE.where(
    _BUDGETS.c.tenant == bindparam("tenant"),
    _BUDGETS.c.campaign.in_(("", bindparam("campaign"))),
    _BUDGETS.c.edition.in_(("", bindparam("edition"))),
)

_UNTIL_NOW = (
    _WORKERS.c.gpu_count
    * (_WORKERS.c.heartbeat_at - _WORKERS.c.started_at)
    * _PRICES.c.micro_usd_per_gpu_hour
    // MICROSECONDS_PER_HOUR
)
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
_IS_CLOSED = exists().where(
    _CLOSING.c.tenant == bindparam("tenant"),
    _CLOSING.c.reservation == _WISHES.c.reservation,
    _CLOSING.c.kind.in_(("settle", "release")),
)
_WAITING = (
    select(func.coalesce(func.sum(_WISHES.c.micro_usd), 0))
    .join_from(_WISHES, _EDITIONS, _EDITIONS.c.id == _WISHES.c.edition_id)
    .where(
        _EDITIONS.c.tenant == bindparam("tenant"),
        _WISHES.c.reservation.is_not(None),
        ~_IS_CLOSED,
    )
)
_OF_CAMPAIGN = _EDITIONS.c.campaign == bindparam("campaign")
_OF_EDITION = _OF_CAMPAIGN & (_EDITIONS.c.edition == bindparam("edition"))
_IN_MONTH = _WORKERS.c.started_at.between(bindparam("first"), bindparam("after") - 1)


def _of_workers_in(condition: ColumnElement[bool]) -> Select[tuple[int]]:
    return _PAYING.join(
        _EDITIONS,
        (_EDITIONS.c.id == _WORKERS.c.edition_id) & (_EDITIONS.c.tenant == _WORKERS.c.tenant),
    ).where(condition)


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
