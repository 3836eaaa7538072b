"""What providers ask for: invoices as they were imported, line by line."""

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from wan_pipelines.ledger.tables.base import Base, RowId


class InvoiceRow(Base):
    """Append-only: a file that was imported; `sha256` is that of its bytes."""

    __tablename__ = "invoices"

    id: Mapped[RowId]
    sha256: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    layout: Mapped[str]
    lines: Mapped[int]
    imported_by: Mapped[str]


class InvoiceLineRow(Base):
    """Append-only: a charge of a provider, in the columns of FOCUS.

    An amount is `micro_usd` and what is finer than that: `rest` is a decimal number of dollars,
    at least 0 and less than a micro-dollar. `identity` is the digest of what the line says, and
    of how many lines before it in its file say the same.
    """

    __tablename__ = "invoice_lines"

    id: Mapped[RowId]
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), index=True)
    identity: Mapped[str] = mapped_column(unique=True)
    line: Mapped[int]
    starts_at: Mapped[int] = mapped_column(index=True)
    ends_at: Mapped[int]
    category: Mapped[str]
    description: Mapped[str] = mapped_column(Text())
    service: Mapped[str]
    resource_id: Mapped[str]
    resource_type: Mapped[str]
    sku: Mapped[str]
    commitment: Mapped[str]
    quantity: Mapped[str | None]
    unit: Mapped[str]
    billed_micro_usd: Mapped[int]
    billed_rest: Mapped[str]
    effective_micro_usd: Mapped[int]
    effective_rest: Mapped[str]
    tags: Mapped[dict[str, str]] = mapped_column(JSON())


class InvoiceWithdrawalRow(Base):
    """Append-only: an invoice that counts no more, because it was imported by mistake, say."""

    __tablename__ = "invoice_withdrawals"

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    decided_by: Mapped[str]
    reason: Mapped[str] = mapped_column(Text())
