"""What editions were expected to take when they were admitted."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.tables.base import Base, RowId


class ForecastRow(Base):
    """Append-only: what the shots of one tier that an admission let pass were expected to take.

    Microseconds on a warm worker, and what they lie between in `percent` of cases; `takes` is how
    many the estimate rested on.
    """

    __tablename__ = "forecasts"
    __table_args__ = (Index("ix_forecasts_edition_id_created_at", "edition_id", "created_at"),)

    id: Mapped[RowId]
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    edition_id: Mapped[int] = mapped_column(ForeignKey("editions.id"))
    release: Mapped[str]
    tier: Mapped[str]
    gpu_class: Mapped[str]
    shots: Mapped[int]
    expected_microseconds: Mapped[int]
    low_microseconds: Mapped[int]
    high_microseconds: Mapped[int]
    percent: Mapped[int]
    takes: Mapped[int]
