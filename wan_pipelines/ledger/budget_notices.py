"""Thresholds of budgets that were reached: each is told once, in a month or for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from wan_pipelines.ledger.amounts import told
from wan_pipelines.ledger.budgets import Action, BudgetKey, BudgetStanding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import insert_missing
from wan_pipelines.ledger.tables import BudgetNoticeRow
from wan_pipelines.ledger.tenants import lock_account

CONSEQUENCES: dict[Action, str] = {
    "notify": "",
    "finish": "; what runs is finished, and nothing more is begun that exceeds it",
    "stop": "; what runs is stopped",
}


@dataclass(frozen=True, slots=True)
class BudgetNotice:
    """That so much of a budget was gone, in micro-dollars, `month` being empty for an edition's."""

    key: BudgetKey
    month: str
    action: Action
    at: int
    paid: int
    reserved: int
    noted_at: datetime

    @property
    def told(self) -> str:
        """In words."""
        at, paid, reserved = (
            told("micro_usd", value) for value in (self.at, self.paid, self.reserved)
        )
        whose = f"{self.key.told} in {self.month}" if self.month else self.key.told
        return (
            f"The budget for {whose} reached {at}: {paid} paid, {reserved} reserved"
            f"{CONSEQUENCES[self.action]}."
        )


def note_reached(
    ledger: Ledger, tenant: str, standings: Sequence[BudgetStanding], *, now: datetime
) -> tuple[BudgetNotice, ...]:
    """Note each threshold of a tenant's budgets that is behind it; returns those that are new."""
    reached = [
        BudgetNotice(each.key, each.month, action, at, each.paid, each.reserved, now)
        for each in standings
        for action, at in each.reached
    ]
    if not reached:
        return ()
    with ledger.read(tenant) as session:
        fresh = _unknown(session, tenant, reached)
    if fresh:
        with ledger.write(tenant) as session:
            lock_account(session, tenant)
            fresh = _unknown(session, tenant, fresh)
            insert_missing(session, BudgetNoticeRow, [_row(notice) for notice in fresh])
    return fresh


def notices(ledger: Ledger, tenant: str) -> tuple[BudgetNotice, ...]:
    """All that were noted of a tenant's budgets, in order."""
    with ledger.read(tenant) as session:
        return tuple(_notice(row) for row in session.scalars(_of(tenant)))


def _unknown(
    session: Session, tenant: str, reached: Sequence[BudgetNotice]
) -> tuple[BudgetNotice, ...]:
    """Those that were not noted yet; what earlier months left is not looked at."""
    alike = _of(tenant).where(
        BudgetNoticeRow.month.in_({notice.month for notice in reached}),
        BudgetNoticeRow.edition.in_({notice.key.edition for notice in reached}),
    )
    known = {_identity(_notice(row)) for row in session.scalars(alike)}
    return tuple(notice for notice in reached if _identity(notice) not in known)


def _of(tenant: str) -> Select[tuple[BudgetNoticeRow]]:
    return (
        select(BudgetNoticeRow).where(BudgetNoticeRow.tenant == tenant).order_by(BudgetNoticeRow.id)
    )


def _identity(notice: BudgetNotice) -> tuple[BudgetKey, str, Action, int]:
    return notice.key, notice.month, notice.action, notice.at


def _notice(row: BudgetNoticeRow) -> BudgetNotice:
    return BudgetNotice(
        key=BudgetKey(row.tenant, row.campaign, row.edition),
        month=row.month,
        action=cast("Action", row.action),
        at=row.at_micro_usd,
        paid=row.paid_micro_usd,
        reserved=row.reserved_micro_usd,
        noted_at=from_micros(row.created_at),
    )


def _row(notice: BudgetNotice) -> dict[str, object]:
    return {
        **notice.key._asdict(),
        "month": notice.month,
        "action": notice.action,
        "at_micro_usd": notice.at,
        "paid_micro_usd": notice.paid,
        "reserved_micro_usd": notice.reserved,
        "created_at": to_micros(notice.noted_at),
    }
