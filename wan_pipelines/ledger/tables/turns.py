"""Who is in line for a GPU, who holds one, and what tenants were served."""

from sqlalchemy import JSON, Float, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.tables.base import Base, RowId

IN_LINE = text("asked_at IS NOT NULL AND ended_at IS NULL")


class TurnRow(Base):
    """A shard of a run: in line since `asked_at`, on `gpu_class` since `began_at`.

    `process` is who asks for it, and says so at `renewed_at`; after silence its turn has ended.
    """

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("run_id", "shard"),
        Index("ix_turns_in_line", "asked_at", sqlite_where=IN_LINE, postgresql_where=IN_LINE),
        Index("ix_turns_begun", "began_at", "tenant", "priority", "gpu_class"),
    )

    id: Mapped[RowId]
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    campaign: Mapped[str]
    edition: Mapped[str]
    run_id: Mapped[str]
    shard: Mapped[str]
    gpu_microseconds: Mapped[int]
    gpu_classes: Mapped[list[str]] = mapped_column(JSON())
    priority: Mapped[int]
    can_wait: Mapped[bool]
    due_at: Mapped[int | None]
    asked_at: Mapped[int | None]
    renewed_at: Mapped[int | None]
    process: Mapped[str | None]
    gpu_class: Mapped[str | None]
    began_at: Mapped[int | None]
    ended_at: Mapped[int | None]


class ServedRow(Base):
    """GPU seconds that a tenant's shards held, forgotten by halves; as of `ended_at`."""

    __tablename__ = "served"

    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"), primary_key=True)
    gpu_seconds: Mapped[float] = mapped_column(Float(53))
    ended_at: Mapped[int]
