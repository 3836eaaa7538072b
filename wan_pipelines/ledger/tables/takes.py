"""What was rendered: takes, their files, and takes whose files were lost."""

from sqlalchemy import Float, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.guard.ties import RESERVATION
from wan_pipelines.ledger.tables.base import Base, RowId, one_of

# SQLite uses a partial index only where a query repeats its condition as it stands here.
ACCEPTED = text("outcome = 'accepted'")
RUNNING = text("outcome = 'running'")


class TakeRow(Base):
    """One attempt at a shot. The row is its lease while `outcome` is `running`.

    `reservation` is the reservation of quota that the take uses, and closes unless it is abandoned.

    Two partial unique indexes keep anything from being rendered or charged twice: a shot has
    at most one accepted and at most one running take.
    """

    __tablename__ = "takes"
    __mapper_args__ = {"primary_key": ["id", "tenant"]}  # noqa: RUF012 (SQLAlchemy reads it)
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "user"], ["users.tenant", "users.name"]),
        Index(
            "ux_takes_accepted",
            "shot_id",
            unique=True,
            sqlite_where=ACCEPTED,
            postgresql_where=ACCEPTED,
        ),
        Index(
            "ux_takes_running",
            "shot_id",
            unique=True,
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        Index("ix_takes_edition_id_shot_id", "edition_id", "shot_id"),
        one_of("outcome", "running", "accepted", "failed", "abandoned", "forgotten"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    user: Mapped[str]
    shot_id: Mapped[int] = mapped_column(ForeignKey("shots.id"), index=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id"))
    worker_id: Mapped[str] = mapped_column(ForeignKey("workers.id"), index=True)
    tier: Mapped[str]
    outcome: Mapped[str]
    reservation: Mapped[str] = mapped_column(info=RESERVATION)
    lease_expires_at: Mapped[int | None]
    seed: Mapped[int | None]
    steps: Mapped[int | None]
    text_microseconds: Mapped[int | None]
    denoise_high_microseconds: Mapped[int | None]
    denoise_low_microseconds: Mapped[int | None]
    decode_microseconds: Mapped[int | None]
    peak_memory_bytes: Mapped[int | None]
    engine: Mapped[str | None]
    release: Mapped[str | None]
    fingerprint: Mapped[str | None]
    error_type: Mapped[str | None]
    error_message: Mapped[str | None] = mapped_column(Text())
    error_stage: Mapped[str | None]
    started_at: Mapped[int]
    ended_at: Mapped[int | None]


class RenditionRow(Base):
    """One published file of an accepted take."""

    __tablename__ = "renditions"
    __table_args__ = (UniqueConstraint("take_id", "name"),)

    id: Mapped[RowId]
    take_id: Mapped[str] = mapped_column(ForeignKey("takes.id"))
    position: Mapped[int]
    name: Mapped[str]
    key: Mapped[str]
    uri: Mapped[str] = mapped_column(index=True)
    sha256: Mapped[str] = mapped_column(index=True)
    size_bytes: Mapped[int]
    codec: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    fps: Mapped[float] = mapped_column(Float(53))
    frames: Mapped[int]
    duration_microseconds: Mapped[int]
    signature: Mapped[str]


class ForgettingRow(Base):
    """Append-only: why an accepted take was given up."""

    __tablename__ = "forgettings"

    id: Mapped[RowId]
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    take_id: Mapped[str] = mapped_column(ForeignKey("takes.id"), unique=True)
    reason: Mapped[str] = mapped_column(Text())
