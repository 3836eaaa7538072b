"""Imported invoices in the ledger: kept once, whatever file they come in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.invoices.lines import Asked, Category, Invoice, InvoiceLine
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import chunks, insert_missing, storable
from wan_pipelines.ledger.tables import InvoiceLineRow, InvoiceRow
from wan_pipelines.ledger.whose import SHARED


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: lines that are new, lines that were there, and whether the very same
    file was imported before.
    """

    new: int
    known: int
    again: bool


@dataclass(frozen=True, slots=True)
class KnownInvoice:
    """A file that was imported, and what of it was new then."""

    id: int
    name: str
    layout: str
    sha256: str
    lines: int
    billed_micro_usd: int
    imported_by: str
    imported_at: datetime


def import_invoice(
    ledger: Ledger, invoice: Invoice, *, imported_by: str, now: datetime, dry_run: bool = False
) -> Imported:
    """Keep the lines of an invoice that are not known yet, all or none.

    The same file again changes nothing; a file that contains another adds what is new in it.
    """
    with ledger.write(SHARED) as session:
        if _is_known(session, invoice):
            return Imported(0, len(invoice.lines), again=True)
        known = _known_identities(session, invoice)
        new = [line for line in invoice.lines if line.identity not in known]
        row = InvoiceRow(
            sha256=invoice.sha256,
            name=storable(invoice.name, 200),
            layout=invoice.layout,
            lines=len(new),
            imported_by=storable(imported_by, 200),
            created_at=to_micros(now),
        )
        session.add(row)
        session.flush()
        common = {"invoice_id": row.id, "created_at": to_micros(now)}
        for some in chunks(new):
            insert_missing(session, InvoiceLineRow, [{**_columns(line), **common} for line in some])
        if dry_run:
            session.rollback()
    return Imported(len(new), len(invoice.lines) - len(new), again=False)


def known_invoices(ledger: Ledger) -> tuple[KnownInvoice, ...]:
    """All that were imported, in order."""
    billed = (
        select(func.coalesce(func.sum(InvoiceLineRow.billed_micro_usd), 0))
        .where(InvoiceLineRow.invoice_id == InvoiceRow.id)
        .scalar_subquery()
    )
    with ledger.read(SHARED) as session:
        return tuple(
            KnownInvoice(
                row.id,
                row.name,
                row.layout,
                row.sha256,
                row.lines,
                int(micro_usd),
                row.imported_by,
                from_micros(row.created_at),
            )
            for row, micro_usd in session.execute(
                select(InvoiceRow, billed).order_by(InvoiceRow.id)
            )
        )


def lines_between(ledger: Ledger, begin: datetime, end: datetime) -> Iterator[InvoiceLine]:
    """The lines of all invoices whose period overlaps an interval, a batch in memory at a time."""
    query = (
        select(InvoiceLineRow)
        .where(InvoiceLineRow.starts_at < to_micros(end), InvoiceLineRow.ends_at > to_micros(begin))
        .order_by(InvoiceLineRow.id)
        .execution_options(yield_per=1000)
    )
    with ledger.read(SHARED) as session:
        for row in session.scalars(query):
            yield _line(row)


def _is_known(session: Session, invoice: Invoice) -> bool:
    query = select(InvoiceRow.id).where(InvoiceRow.sha256 == invoice.sha256)
    return session.scalars(query).one_or_none() is not None


def _known_identities(session: Session, invoice: Invoice) -> set[str]:
    identities = [line.identity for line in invoice.lines]
    return {
        known for some in chunks(identities) for known in session.scalars(_identities_among(some))
    }


def _identities_among(identities: Sequence[str]) -> Any:
    return select(InvoiceLineRow.identity).where(InvoiceLineRow.identity.in_(identities))


def _columns(line: InvoiceLine) -> dict[str, Any]:
    return {
        "identity": line.identity,
        "line": line.line,
        "starts_at": to_micros(line.starts_at),
        "ends_at": to_micros(line.ends_at),
        "category": line.category,
        "description": line.description,
        "service": line.service,
        "resource_id": line.resource_id,
        "resource_type": line.resource_type,
        "sku": line.sku,
        "commitment": line.commitment,
        "quantity": None if line.quantity is None else str(line.quantity),
        "unit": line.unit,
        "billed_micro_usd": line.billed.micro_usd,
        "billed_rest": str(line.billed.rest),
        "effective_micro_usd": line.effective.micro_usd,
        "effective_rest": str(line.effective.rest),
        "tags": dict(line.tags),
    }


def _line(row: InvoiceLineRow) -> InvoiceLine:
    return InvoiceLine(
        identity=row.identity,
        line=row.line,
        starts_at=from_micros(row.starts_at),
        ends_at=from_micros(row.ends_at),
        category=cast("Category", row.category),
        billed=Asked(row.billed_micro_usd, Decimal(row.billed_rest)),
        effective=Asked(row.effective_micro_usd, Decimal(row.effective_rest)),
        description=row.description,
        service=row.service,
        resource_id=row.resource_id,
        resource_type=row.resource_type,
        sku=row.sku,
        commitment=row.commitment,
        quantity=None if row.quantity is None else Decimal(row.quantity),
        unit=row.unit,
        tags=row.tags,
    )
