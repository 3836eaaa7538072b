"""The rows behind budgets: as they were declared, and where they stand."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, bindparam, delete, exists, select
from sqlalchemy.orm import Session

from wan_pipelines.ledger.budget_sums import all_with_sums, with_paid, with_reserved
from wan_pipelines.ledger.budgets import Budget, BudgetKey, Budgets, BudgetStanding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import Transaction, table, upsert
from wan_pipelines.ledger.tables import BudgetRow, EditionRow, TenantRow
from wan_pipelines.ledger.whose import Asked, tenant_of


def bind(
    session: Session, edition: EditionKey, budgets: Budgets, zone: ZoneInfo, now: datetime
) -> tuple[BudgetStanding, ...]:
    """Make the budgets of an edition and its campaign what is declared; all that bind it, its
    tenant's included, before anything is added up.
    """
    known = _budgets(_rows(session, edition))
    for key, budget in _declared(edition, budgets).items():
        if known.get(key) != budget:
            keep_budget(session, key, budget, now)
    return _bound(known, edition, budgets, zone, now)


def would_bind(
    transaction: Transaction, edition: EditionKey, budgets: Budgets, zone: ZoneInfo, now: datetime
) -> tuple[BudgetStanding, ...]:
    """Where the budgets stand that would bind an edition if it were admitted with these."""
    known = _budgets(_rows(transaction, edition))
    fresh = _bound(known, edition, budgets, zone, now)
    return tuple(with_reserved(transaction, with_paid(transaction, each)) for each in fresh)


def changed_at(
    transaction: Transaction, edition: EditionKey, budgets: Budgets, now: datetime
) -> datetime | None:
    """When a budget that binds an edition was changed last: now, if these differ from what was
    declared; None where nothing binds it.
    """
    rows = _rows(transaction, edition)
    known = _budgets(rows)
    if any(known.get(key) != budget for key, budget in _declared(edition, budgets).items()):
        return now
    return max((from_micros(row.updated_at) for row in rows), default=None)


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
    return _budgets(session.execute(select(_BUDGETS)))


def binding(
    transaction: Transaction, edition: EditionKey, now: datetime
) -> tuple[BudgetStanding, ...]:
    """What was paid of the budgets that bind an edition: its own, its campaign's, its tenant's."""
    return tuple(with_paid(transaction, _fresh(row, now)) for row in _rows(transaction, edition))


def standings_of(
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
        fresh = [_fresh(row, now) for row in rows]
        return tuple(
            standing
            for _, some in groupby(fresh, key=lambda each: each.key.tenant)
            for standing in all_with_sums(session, list(some), since)
        )


def _fresh(row: Row[tuple[object, ...]], now: datetime) -> BudgetStanding:
    return BudgetStanding.of(_key(row), _budget(row), row.time_zone, now)


def _rows(transaction: Transaction, edition: EditionKey) -> Sequence[Row[Any]]:
    return transaction.execute(_BINDING, edition.names).all()


def _budgets(rows: Iterable[Row[Any]]) -> dict[BudgetKey, Budget]:
    return {_key(row): _budget(row) for row in rows}


def _declared(edition: EditionKey, budgets: Budgets) -> dict[BudgetKey, Budget | None]:
    campaign = BudgetKey(edition.tenant, edition.campaign)
    return {campaign: budgets.month, campaign._replace(edition=edition.edition): budgets.edition}


def _bound(
    known: Mapping[BudgetKey, Budget],
    edition: EditionKey,
    budgets: Budgets,
    zone: ZoneInfo,
    now: datetime,
) -> tuple[BudgetStanding, ...]:
    bound = {**known, **_declared(edition, budgets)}
    return tuple(
        BudgetStanding.of(key, budget, zone.key, now) for key, budget in bound.items() if budget
    )


def _key(row: Row[tuple[object, ...]]) -> BudgetKey:
    return BudgetKey(row.tenant, row.campaign, row.edition)


def _budget(row: Row[tuple[object, ...]]) -> Budget:
    notify = tuple(row.notify_micro_usd)
    return Budget(row.micro_usd, notify, row.finish_micro_usd, row.stop_micro_usd)


_BUDGETS, _EDITIONS = table(BudgetRow), table(EditionRow)
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
