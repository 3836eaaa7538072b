"""What became of charges, and what nobody used: corrections, and the idle account of fleets."""

from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.tables.base import Base, RowId, one_of


class CorrectionRow(Base):
    """Append-only: a decision that charges are to be at another price.

    `selection` says which charges were meant, `micro_usd_per_gpu_hour` at what they stand since.
    """

    __tablename__ = "corrections"

    id: Mapped[RowId]
    selection: Mapped[dict[str, str]] = mapped_column(JSON())
    micro_usd_per_gpu_hour: Mapped[int]
    decided_by: Mapped[str]
    reason: Mapped[str] = mapped_column(Text())


class CorrectedChargeRow(Base):
    """Append-only: a charge that a correction made: it takes back the charge that it `reverses`,
    or stands in the place of one. No charge is taken back twice.
    """

    __tablename__ = "corrected_charges"

    charge_id: Mapped[int] = mapped_column(ForeignKey("charges.id"), primary_key=True)
    correction_id: Mapped[int] = mapped_column(ForeignKey("corrections.id"), index=True)
    reverses: Mapped[int | None] = mapped_column(ForeignKey("charges.id"), unique=True)


class IdleEntryRow(Base):
    """Append-only: what of a reserved fleet no worker held on a day (UTC), and what that cost.

    Revisions count from 0. A `reversal` takes the entry of the same revision back, amount by
    amount; the entry that holds has the highest revision.
    """

    __tablename__ = "idle_entries"
    __table_args__ = (
        UniqueConstraint("fleet", "starts_at", "revision", "kind"),
        one_of("kind", "idle", "reversal"),
    )

    id: Mapped[RowId]
    fleet: Mapped[str]
    starts_at: Mapped[int]
    revision: Mapped[int]
    kind: Mapped[str]
    gpu_class: Mapped[str]
    reserved_gpu_microseconds: Mapped[int]
    reserved_micro_usd: Mapped[int]
    gpu_microseconds: Mapped[int]
    micro_usd: Mapped[int]
    reason: Mapped[str] = mapped_column(Text())
