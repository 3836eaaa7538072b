"""What is to be rendered: editions of campaigns and their shots."""

from typing import Any, get_args

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.admission import State
from wan_pipelines.ledger.guard.ties import RESERVATION
from wan_pipelines.ledger.tables.base import Base, RowId, one_of

WAITS = text("reservation IS NOT NULL")


class EditionRow(Base):
    """One rendering of a campaign, asked for by one user."""

    __tablename__ = "editions"
    __table_args__ = (
        ForeignKeyConstraint(["tenant", "user"], ["users.tenant", "users.name"]),
        UniqueConstraint("tenant", "campaign", "edition"),
    )

    id: Mapped[RowId]
    tenant: Mapped[str]
    user: Mapped[str]
    campaign: Mapped[str]
    edition: Mapped[str]
    admitted_at: Mapped[int]


class ShotRow(Base):
    """Everything that decides a video's pixels, once per tenant.

    `failures` counts failed takes since the last accepted one.
    """

    __tablename__ = "shots"
    __table_args__ = (UniqueConstraint("tenant", "render_key"),)

    id: Mapped[RowId]
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    render_key: Mapped[str]
    request: Mapped[dict[str, Any]] = mapped_column(JSON())
    failures: Mapped[int]
    last_failed_at: Mapped[int | None]


class EditionShotRow(Base):
    """A named shot of an edition, with what admission decided about it.

    `reservation` is the open reservation of quota that waits for a take of this shot; GPU time and
    money are what that is expected to take.
    """

    __tablename__ = "edition_shots"
    __table_args__ = (
        UniqueConstraint("edition_id", "name"),
        Index("ix_edition_shots_shot_id_edition_id", "shot_id", "edition_id"),
        Index("ix_edition_shots_waiting", "edition_id", sqlite_where=WAITS, postgresql_where=WAITS),
        one_of("state", *get_args(State)),
    )

    id: Mapped[RowId]
    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id"))
    position: Mapped[int]
    name: Mapped[str]
    shot_id: Mapped[int] = mapped_column(ForeignKey("shots.id"))
    tier: Mapped[str]
    fps: Mapped[int]
    renditions: Mapped[list[str]] = mapped_column(JSON())
    variables: Mapped[dict[str, str]] = mapped_column(JSON())
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(Text())
    may_run_at: Mapped[int | None]
    reservation: Mapped[str | None] = mapped_column(info=RESERVATION)
    updated_at: Mapped[int]
    gpu_microseconds: Mapped[int] = mapped_column(server_default="0")
    micro_usd: Mapped[int] = mapped_column(server_default="0")
