"""An invoice is read whole, exactly, and as what it is: text from somebody else."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.invoices.focus import HOUR, write
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.invoices.lines import Cost, InvoiceLine
from wan_pipelines.ledger.invoices.reading import Layout, read_invoice

SIMPLE = Layout(
    "acme",
    {"BilledCost": "amount", "ChargePeriodStart": "date", "SkuId": "sku"},
    {"BillingCurrency": "USD", "ChargeCategory": "Usage"},
)


def test_a_line_of_focus_is_read_exactly(tmp_path: Path):
    invoice = read_invoice(write(tmp_path / "march.csv", {"BilledCost": "2.6900000004"}))
    (line,) = invoice.lines
    assert (invoice.name, invoice.layout, line.line) == ("march.csv", "focus", 2)
    assert line.billed == Cost(2_690_000, Decimal("0.0000000004"))
    assert line.effective == Cost(2_690_000)
    assert line.starts_at == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert (line.category, line.sku, line.unit) == ("Usage", "gpu-h100", "Hours")
    assert (line.quantity, line.tags) == (Decimal(1), {"pool": "h100"})


def test_what_looks_like_a_formula_is_text(tmp_path: Path):
    nasty = {"ChargeDescription": '=HYPERLINK("http://x")', "ResourceId": "@SUM(A1)"}
    (line,) = read_invoice(write(tmp_path / "a.csv", nasty)).lines
    assert line.description == '=HYPERLINK("http://x")'
    with pytest.raises(InputError, match=r"line 2: '=1\+1' is no number"):
        read_invoice(write(tmp_path / "b.csv", {"BilledCost": "=1+1"}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"BillingCurrency": "EUR"}, "it is in EUR, the ledger in USD: let the provider"),
        ({"BillingCurrency": ""}, "it is in no currency"),
        ({"BilledCost": "1,50"}, "'1,50' is no number"),
        ({"BilledCost": "NaN"}, "'NaN' is no number"),
        ({"BilledCost": "1e30"}, "more than any invoice asks"),
        ({"ChargeCategory": "Refund"}, "'Refund' is no category"),
        ({"ChargePeriodStart": "03/02/2026"}, "is no moment such as"),
        ({"ChargePeriodEnd": "2026-03-02T12:00:00Z"}, "before it begins"),
        ({"PricingQuantity": "1e99"}, "more than anybody uses"),
        ({"Tags": "[1]"}, "tags are no JSON object"),
        ({"Tags": "[" * 90_000}, "tags are no JSON object"),
        ({"Tags": "{pool: h100}"}, "tags are no JSON object"),
    ],
)
def test_each_broken_line_is_named_and_nothing_is_taken(
    tmp_path: Path, change: dict[str, str], told: str
):
    file = write(tmp_path / "broken.csv", {}, change, {}, change)
    with pytest.raises(
        InputError, match=rf"2 of its rows cannot be read: line 3: .*{told}"
    ) as said:
        read_invoice(file)
    assert "line 5: " in str(said.value)


def test_lines_that_come_to_more_than_any_invoice_asks_are_refused(tmp_path: Path):
    dear = {"BilledCost": "600000000"}
    assert read_invoice(write(tmp_path / "a.csv", dear)).lines
    with pytest.raises(InputError, match="1,000,000,000 USD"):
        read_invoice(write(tmp_path / "b.csv", dear, {"BilledCost": "-600000000"}))


def test_columns_that_are_missing_are_named(tmp_path: Path):
    file = tmp_path / "short.csv"
    file.write_text("BilledCosts,ChargeCategory\n1,Usage\n")
    with pytest.raises(InputError, match=r"short.csv:1: .*'BilledCost' is missing.*BilledCosts"):
        read_invoice(file)
    file.write_text(",".join(HOUR) + "\n")
    with pytest.raises(InputError, match="has no lines"):
        read_invoice(file)


def test_a_layout_names_columns_and_what_is_always_the_same(tmp_path: Path):
    file = tmp_path / "simple.csv"
    file.write_text("date;sku;amount\n2026-03-02;gpu-h100;64.56\n")
    (line,) = read_invoice(file, SIMPLE).lines
    assert (line.starts_at, line.ends_at) == (
        datetime(2026, 3, 2, tzinfo=UTC),
        datetime(2026, 3, 3, tzinfo=UTC),
    )
    assert (line.billed, line.effective) == (Cost(64_560_000), Cost(64_560_000))
    assert (line.category, line.sku) == ("Usage", "gpu-h100")


def test_a_line_is_known_by_what_it_says_and_how_often(tmp_path: Path):
    first = read_invoice(write(tmp_path / "first.csv", {}, {}, {"ResourceId": "node-2"}))
    more = read_invoice(write(tmp_path / "more.csv", {"ResourceId": "node-2"}, {}, {}, {}))
    identities = [line.identity for line in first.lines]
    assert len(set(identities)) == 3
    assert set(identities) < {line.identity for line in more.lines}


@settings(max_examples=150, deadline=None)
@given(
    place=st.integers(0, 700),
    length=st.integers(0, 40),
    noise=st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode("utf-8")),
)
def test_a_damaged_file_is_read_or_refused(damaged: Path, place: int, length: int, noise: bytes):
    """Whatever somebody sends: lines, or one sentence that names the file."""
    whole = write(damaged, {}, {"BilledCost": "-0.0000001"}).read_bytes()
    damaged.write_bytes(whole[:place] + noise + whole[place + length :])
    lines, told = outcome(damaged)
    assert len({line.identity for line in lines}) == len(lines)
    assert lines or str(damaged) in told


def outcome(file: Path) -> tuple[tuple[InvoiceLine, ...], str]:
    """Its lines, or why there are none."""
    try:
        return read_invoice(file).lines, ""
    except InputError as error:
        return (), str(error)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all examples."""
    return tmp_path_factory.mktemp("damaged") / "invoice.csv"
