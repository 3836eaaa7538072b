"""What was paid and who may still spend: workers, prices, charges, quota entries."""

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.guard.ties import OF_TAKE, RESERVATION
from wan_pipelines.ledger.tables.base import Base, RowId, one_of

UNENDED = text("ended_at IS NULL")
RESERVES = text("kind = 'reserve'")
CLOSES = text("kind IN ('settle', 'release')")


class PriceRow(Base):
    """Append-only: what one GPU of a class costs an hour from a moment on, until the next one.

    `decided_by` is None where the environment's YAML says so.
    """

    __tablename__ = "prices"
    __table_args__ = (UniqueConstraint("gpu_class", "market", "valid_from"),)

    id: Mapped[RowId]
    gpu_class: Mapped[str]
    market: Mapped[str]
    micro_usd_per_gpu_hour: Mapped[int]
    valid_from: Mapped[int]
    decided_by: Mapped[str | None]
    reason: Mapped[str] = mapped_column(Text(), server_default="")


class WorkerRow(Base):
    """A process that is paid from start to end; `process` is its name, where that was kept.

    `paid_micro_usd` is what has been charged for the time until `settled_until`. While it renders,
    `at_take` is at step `at_step` of `of_steps` since `stepped_at`, as its last heartbeat said.
    """

    __tablename__ = "workers"
    __mapper_args__ = {"primary_key": ["id", "tenant"]}  # noqa: RUF012 (SQLAlchemy reads it)
    __table_args__ = (
        Index(
            "ix_workers_running",
            "heartbeat_at",
            sqlite_where=UNENDED,
            postgresql_where=UNENDED,
        ),
        Index("ix_workers_tenant_started_at", "tenant", "started_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    edition_id: Mapped[int | None] = mapped_column(ForeignKey("editions.id"), index=True)
    run_id: Mapped[str] = mapped_column(index=True)
    step_key: Mapped[str]
    host: Mapped[str]
    pid: Mapped[int]
    process: Mapped[str | None]
    gpu_class: Mapped[str]
    gpu_count: Mapped[int]
    price_id: Mapped[int] = mapped_column(ForeignKey("prices.id"))
    started_at: Mapped[int] = mapped_column(index=True)
    heartbeat_at: Mapped[int]
    ended_at: Mapped[int | None]
    lost: Mapped[bool]
    settled_until: Mapped[int]
    paid_micro_usd: Mapped[int]
    at_take: Mapped[str | None] = mapped_column(info=OF_TAKE)
    at_step: Mapped[int | None]
    of_steps: Mapped[int | None]
    stepped_at: Mapped[int | None]


class SpanRow(Base):
    """Reported worker time that is not charged yet; charging it removes it."""

    __tablename__ = "spans"

    id: Mapped[RowId]
    worker_id: Mapped[str] = mapped_column(ForeignKey("workers.id"), index=True)
    take_id: Mapped[str | None] = mapped_column(ForeignKey("takes.id"))
    kind: Mapped[str]
    microseconds: Mapped[int]


class ChargeRow(Base):
    """Append-only: an amount of money for GPU time, of a take or of a worker as such."""

    __tablename__ = "charges"

    id: Mapped[RowId]
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    worker_id: Mapped[str] = mapped_column(ForeignKey("workers.id"), index=True)
    take_id: Mapped[str | None] = mapped_column(ForeignKey("takes.id"), index=True)
    kind: Mapped[str]
    gpu_microseconds: Mapped[int]
    micro_usd: Mapped[int]


class QuotaEntryRow(Base):
    """Append-only: a reservation of a shot on a tenant's local day, or its one closing entry.

    GPU time and money are what it is expected to take; the closing entry makes that what it took.
    Where the take's price was corrected later, further entries, `correct`, make that its money.
    """

    __tablename__ = "quota_entries"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "user"], ["users.tenant", "users.name"]),
        Index("ix_quota_entries_tenant_user_day", "tenant", "user", "day"),
        Index("ix_quota_entries_tenant_day", "tenant", "day"),
        Index(
            "ux_quota_entries_reserved",
            "reservation",
            unique=True,
            sqlite_where=RESERVES,
            postgresql_where=RESERVES,
        ),
        Index(
            "ux_quota_entries_closed",
            "reservation",
            unique=True,
            sqlite_where=CLOSES,
            postgresql_where=CLOSES,
        ),
        one_of("kind", "reserve", "settle", "release", "correct"),
    )

    id: Mapped[RowId]
    tenant: Mapped[str]
    user: Mapped[str]
    day: Mapped[str]
    kind: Mapped[str]
    shots: Mapped[int]
    reservation: Mapped[str] = mapped_column(info=RESERVATION)
    gpu_microseconds: Mapped[int] = mapped_column(server_default="0")
    micro_usd: Mapped[int] = mapped_column(server_default="0")
