"""Who pays and who asks."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.tables.base import Base


class PlanRow(Base):
    """Limits that tenants share; `plan_limits` has them."""

    __tablename__ = "plans"

    name: Mapped[str] = mapped_column(primary_key=True)
    updated_at: Mapped[int]


class TenantRow(Base):
    """Who pays. The time zone decides when the tenant's day begins.

    `degradation` is `allowed` where a shot may be drawn with other pixels rather than fail.
    """

    __tablename__ = "tenants"

    name: Mapped[str] = mapped_column(primary_key=True)
    plan: Mapped[str] = mapped_column(ForeignKey("plans.name"))
    time_zone: Mapped[str]
    updated_at: Mapped[int]
    degradation: Mapped[str] = mapped_column(server_default="exact_only")


class UserRow(Base):
    """Who asks. The row is what concurrent admissions of one user lock."""

    __tablename__ = "users"

    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
