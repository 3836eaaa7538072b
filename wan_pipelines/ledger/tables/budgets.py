"""What may be spent in all, and who was told how much of it is gone."""

from typing import get_args

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.budgets import Action
from wan_pipelines.ledger.tables.base import Base, RowId, one_of


class BudgetRow(Base):
    """A budget as it was declared last: of an edition; of a campaign a month, its edition empty;
    of a tenant a month, its campaign empty, too.
    """

    __tablename__ = "budgets"

    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"), primary_key=True)
    campaign: Mapped[str] = mapped_column(primary_key=True)
    edition: Mapped[str] = mapped_column(primary_key=True)
    micro_usd: Mapped[int]
    notify_micro_usd: Mapped[list[int]] = mapped_column(JSON())
    finish_micro_usd: Mapped[int | None]
    stop_micro_usd: Mapped[int | None]
    updated_at: Mapped[int]


class BudgetNoticeRow(Base):
    """Append-only: a threshold of a budget was reached, and is told once a month, or for good."""

    __tablename__ = "budget_notices"
    __table_args__ = (
        UniqueConstraint(
            "tenant",
            "campaign",
            "edition",
            "month",
            "action",
            "at_micro_usd",
            name="uq_budget_notices_threshold",
        ),
        one_of("action", *get_args(Action)),
    )

    id: Mapped[RowId]
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    campaign: Mapped[str]
    edition: Mapped[str]
    month: Mapped[str]
    action: Mapped[str]
    at_micro_usd: Mapped[int]
    paid_micro_usd: Mapped[int]
    reserved_micro_usd: Mapped[int]
