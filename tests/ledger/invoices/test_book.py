"""What was imported is kept once, and never changed."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.ledger.invoices.focus import write
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.invoices.book import (
    Imported,
    import_invoice,
    known_invoices,
    lines_between,
    withdraw_invoice,
)
from wan_pipelines.ledger.invoices.lines import Invoice
from wan_pipelines.ledger.invoices.reading import read_invoice
from wan_pipelines.ledger.tables import InvoiceLineRow
from wan_pipelines.ledger.whose import SHARED

NOW = datetime(2026, 4, 1, tzinfo=UTC)
MARCH = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def march(tmp_path: Path, *changes: dict[str, str], name: str = "march.csv") -> Invoice:
    return read_invoice(write(tmp_path / name, *changes))


def kept(ledger: Ledger, invoice: Invoice, *, dry_run: bool = False) -> Imported:
    return import_invoice(ledger, invoice, imported_by="mira", now=NOW, dry_run=dry_run)


def test_lines_come_back_as_they_were_read(ledger: Ledger, tmp_path: Path):
    invoice = march(tmp_path, {"BilledCost": "0.12345678901"}, {"PricingQuantity": ""})
    assert kept(ledger, invoice) == Imported(2, 0, again=False)
    assert tuple(lines_between(ledger, *MARCH)) == invoice.lines
    (known,) = known_invoices(ledger)
    assert (known.name, known.lines, known.imported_by) == ("march.csv", 2, "mira")
    assert known.billed_micro_usd == 123_456 + 2_690_000


def test_no_line_is_kept_twice(ledger: Ledger, tmp_path: Path):
    first = march(tmp_path, {}, {})
    kept(ledger, first)
    assert kept(ledger, first) == Imported(0, 2, again=True)
    longer = march(tmp_path, {}, {}, {"ResourceId": "node-2"}, name="longer.csv")
    assert kept(ledger, longer, dry_run=True) == Imported(1, 2, again=False)
    assert kept(ledger, longer) == Imported(1, 2, again=False)
    assert len(list(lines_between(ledger, *MARCH))) == 3


def test_imports_at_once_keep_each_line_once(ledger: Ledger, tmp_path: Path):
    """The same lines from both ends: who comes second finds what the first one kept."""
    changes = [{"ResourceId": f"node-{number}"} for number in range(1500)]
    one = march(tmp_path, *changes)
    other = replace(one, name="other.csv", sha256="0" * 64, lines=one.lines[::-1])
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda each: kept(ledger, each), (one, other, one, other)))
    assert sorted(each.new for each in done) == [0, 0, 0, 1500]
    assert sum(known.lines for known in known_invoices(ledger)) == 1500

    def withdraw(_: int) -> bool:
        with suppress(LedgerError):
            number = known_invoices(ledger)[0].id
            withdraw_invoice(ledger, number, decided_by="mira", reason="twice", now=NOW)
            return True
        return False

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(withdraw, range(3))) == [False, False, True]


def test_what_was_withdrawn_counts_no_more_and_may_come_again(ledger: Ledger, tmp_path: Path):
    first = march(tmp_path, {}, {})
    for _ in range(3):
        assert kept(ledger, first) == Imported(2, 0, again=False)
        assert kept(ledger, first).again
        assert len(list(lines_between(ledger, *MARCH))) == 2
        known = known_invoices(ledger)[-1]
        assert (known.withdrawn_by, known.withdrawn_because) == (None, "")
        withdraw(ledger, known.id)
        assert known_invoices(ledger)[-1].withdrawn_because == "another account's"
        assert list(lines_between(ledger, *MARCH)) == []
    longer = march(tmp_path, {}, {}, {"ResourceId": "node-2"}, name="longer.csv")
    assert kept(ledger, longer) == Imported(3, 0, again=False)
    assert kept(ledger, first) == Imported(0, 2, again=False)
    with pytest.raises(LedgerError, match="was withdrawn before"):
        withdraw(ledger, known_invoices(ledger)[0].id)
    with pytest.raises(LedgerError, match="There is no invoice 999999"):
        withdraw(ledger, 999_999)


def withdraw(ledger: Ledger, invoice_id: int) -> None:
    withdraw_invoice(ledger, invoice_id, decided_by="mira", reason="another account's", now=NOW)


def test_only_lines_of_the_interval_are_found(ledger: Ledger, tmp_path: Path):
    kept(ledger, march(tmp_path, {}))
    line = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert list(lines_between(ledger, MARCH[0], line)) == []
    assert list(lines_between(ledger, line.replace(hour=13), MARCH[1])) == []
    assert len(list(lines_between(ledger, line, line.replace(minute=1)))) == 1


def test_an_imported_line_is_never_changed(ledger: Ledger, tmp_path: Path):
    kept(ledger, march(tmp_path, {}))

    def change() -> None:
        with ledger.write(SHARED) as session:
            session.query(InvoiceLineRow).one().billed_micro_usd = 1

    with pytest.raises(LedgerError, match="append-only"):
        change()
