"""Imported invoices in the ledger: kept once, whatever file they come in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.invoices.lines import Category, Cost, Invoice, InvoiceLine
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import chunks, go_alone, insert_missing, storable
from wan_pipelines.ledger.tables import InvoiceLineRow, InvoiceRow, InvoiceWithdrawalRow
from wan_pipelines.ledger.whose import SHARED

ADVISORY_LOCK = 0x424F4F4B  # "BOOK"


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
    withdrawn_by: str | None
    withdrawn_because: str


def import_invoice(
    ledger: Ledger, invoice: Invoice, *, imported_by: str, now: datetime, dry_run: bool = False
) -> Imported:
    """Keep the lines of an invoice that are not known yet, all or none.

    The same file again changes nothing; a file that contains another adds what is new in it. What
    was withdrawn is not known.
    """
    with ledger.write(SHARED) as session:
        go_alone(session, ADVISORY_LOCK)
        (digest,) = _renamed(session, _FILES, [invoice.sha256])
        if _known(session, InvoiceRow.sha256, [digest]):
            return Imported(0, len(invoice.lines), again=True)
        names = _renamed(session, _LINES, [line.identity for line in invoice.lines])
        known = _known(session, InvoiceLineRow.identity, names)
        lines = zip(invoice.lines, names, strict=True)
        new = [replace(line, identity=name) for line, name in lines if name not in known]
        row = InvoiceRow(
            sha256=digest,
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


def withdraw_invoice(
    ledger: Ledger, invoice_id: int, *, decided_by: str, reason: str, now: datetime
) -> None:
    """Let an invoice count no more; its lines are kept, and may be imported again.

    LedgerError when there is no such invoice, or it was withdrawn before.
    """
    with ledger.write(SHARED) as session:
        go_alone(session, ADVISORY_LOCK)
        if session.get(InvoiceRow, invoice_id) is None:
            raise LedgerError(f"There is no invoice {invoice_id}: `wan invoice list` shows them.")
        if session.get(InvoiceWithdrawalRow, invoice_id) is not None:
            raise LedgerError(
                f"Invoice {invoice_id} was withdrawn before: `wan invoice list` says by whom."
            )
        row = InvoiceWithdrawalRow(
            invoice_id=invoice_id,
            decided_by=storable(decided_by, 200),
            reason=storable(reason),
            created_at=to_micros(now),
        )
        session.add(row)


def known_invoices(ledger: Ledger) -> tuple[KnownInvoice, ...]:
    """All that were imported, in order, withdrawn ones included."""
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
                withdrawal and withdrawal.decided_by,
                withdrawal.reason if withdrawal else "",
            )
            for row, withdrawal, micro_usd in session.execute(_INVOICES)
        )


def lines_between(ledger: Ledger, begin: datetime, end: datetime) -> Iterator[InvoiceLine]:
    """The lines of all invoices whose period overlaps an interval, a batch in memory at a time."""
    query = (
        select(InvoiceLineRow)
        .where(InvoiceLineRow.starts_at < to_micros(end), InvoiceLineRow.ends_at > to_micros(begin))
        .where(InvoiceLineRow.invoice_id.not_in(select(InvoiceWithdrawalRow.invoice_id)))
        .order_by(InvoiceLineRow.id)
        .execution_options(yield_per=1000)
    )
    with ledger.read(SHARED) as session:
        for row in session.scalars(query):
            yield _line(row)


def _renamed(session: Session, withdrawn: Select[Any], names: Sequence[str]) -> list[str]:
    """The names under which things are kept: those that were withdrawn come back under others.

    Each name follows from the one before it, so that whoever imports them a third time comes to
    the same.
    """
    column = withdrawn.selected_columns[0]
    renamed = {name: name for name in names}
    gone = set(names)
    while gone:
        gone = {
            name
            for some in chunks(sorted(gone))
            for name in session.scalars(withdrawn.where(column.in_(some)))
        }
        after = {name: sha256(f"{name} again".encode()).hexdigest() for name in gone}
        renamed = {name: after.get(last, last) for name, last in renamed.items()}
        gone = set(after.values())
    return [renamed[name] for name in names]


def _known(session: Session, column: Any, names: Sequence[str]) -> set[str]:
    return {
        known
        for some in chunks(names)
        for known in session.scalars(select(column).where(column.in_(some)))
    }


_FILES = select(InvoiceRow.sha256).join(
    InvoiceWithdrawalRow, InvoiceWithdrawalRow.invoice_id == InvoiceRow.id
)
_LINES = select(InvoiceLineRow.identity).join(
    InvoiceWithdrawalRow, InvoiceWithdrawalRow.invoice_id == InvoiceLineRow.invoice_id
)
_BILLED = (
    select(func.coalesce(func.sum(InvoiceLineRow.billed_micro_usd), 0))
    .where(InvoiceLineRow.invoice_id == InvoiceRow.id)
    .scalar_subquery()
)
_INVOICES = (
    select(InvoiceRow, InvoiceWithdrawalRow, _BILLED)
    .outerjoin(InvoiceWithdrawalRow, InvoiceWithdrawalRow.invoice_id == InvoiceRow.id)
    .order_by(InvoiceRow.id)
)


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
        billed=Cost(row.billed_micro_usd, Decimal(row.billed_rest)),
        effective=Cost(row.effective_micro_usd, Decimal(row.effective_rest)),
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
