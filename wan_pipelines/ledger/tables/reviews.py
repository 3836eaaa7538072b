"""What people decided about prompts that screening held."""

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.tables.base import Base, RowId, one_of


class ReviewRow(Base):
    """Append-only: a person's decision about a text; the latest one of a tenant's text holds."""

    __tablename__ = "reviews"
    __table_args__ = (
        Index("ix_reviews_tenant_text_sha256", "tenant", "text_sha256"),
        one_of("decision", "released", "rejected"),
    )

    id: Mapped[RowId]
    tenant: Mapped[str] = mapped_column(ForeignKey("tenants.name"))
    text_sha256: Mapped[str]
    text: Mapped[str] = mapped_column(Text())
    decision: Mapped[str]
    decided_by: Mapped[str]
    note: Mapped[str] = mapped_column(Text())
