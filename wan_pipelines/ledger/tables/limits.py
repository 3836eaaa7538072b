"""What may be spent: limits of plans, and decisions about those of tenants and users."""

from typing import get_args

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.amounts import Measure
from wan_pipelines.ledger.limits import ChangeKind, Scope
from wan_pipelines.ledger.tables.base import Base, RowId, one_of


class PlanLimitRow(Base):
    """At most so much of a measure in each window of a scope."""

    __tablename__ = "plan_limits"
    __table_args__ = (
        one_of("scope", *get_args(Scope)),
        one_of("measure", *get_args(Measure)),
    )

    plan: Mapped[str] = mapped_column(ForeignKey("plans.name"), primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    most: Mapped[int]


class LimitChangeRow(Base):
    """Append-only: who set a limit of a tenant or user, or granted more, until when and why."""

    __tablename__ = "limit_changes"
    __table_args__ = (
        Index("ix_limit_changes_tenant", "tenant"),
        one_of("scope", *get_args(Scope)),
        one_of("measure", *get_args(Measure)),
        one_of("kind", *get_args(ChangeKind)),
    )

    id: Mapped[RowId]
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    user: Mapped[str | None]
    scope: Mapped[str]
    measure: Mapped[str]
    kind: Mapped[str]
    amount: Mapped[int | None]
    starts_at: Mapped[int]
    expires_at: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text())
    decided_by: Mapped[str]
