"""Invoices from CSV: in the columns of FOCUS, or in those that a layout gives their names.

What somebody else sends is not trusted: a file has a size, each cell is text, an amount is digits,
and every line that cannot be read is named. Nothing is taken of a file that has one.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Literal, cast, get_args

from wan_pipelines.clocks import near
from wan_pipelines.csv_tables import TableRow, exact_decimal, read_table
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.invoices.lines import MOST_USD, Category, Cost, Invoice, InvoiceLine
from wan_pipelines.ledger.money import MICRO_USD_PER_USD
from wan_pipelines.ledger.statements import storable

MAX_BYTES = 64 * 2**20
CURRENCY = "USD"
CATEGORIES = get_args(Category)

FocusColumn = Literal[
    "BilledCost",
    "BillingCurrency",
    "ChargeCategory",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountStatus",
    "EffectiveCost",
    "PricingQuantity",
    "PricingUnit",
    "ResourceId",
    "ResourceType",
    "ServiceName",
    "SkuId",
    "Tags",
]
REQUIRED: tuple[FocusColumn, ...] = (
    "BilledCost",
    "BillingCurrency",
    "ChargeCategory",
    "ChargePeriodStart",
    "ChargePeriodEnd",  # the last one: files of whole days do without it
)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a provider's file says it: `columns` names those of FOCUS that are called otherwise,
    `fixed` what is the same on every line.
    """

    name: str
    columns: Mapping[FocusColumn, str]
    fixed: Mapping[FocusColumn, str]

    def file_column(self, column: FocusColumn) -> str:
        return self.columns.get(column, column)


FOCUS = Layout("focus", {}, {})


def read_invoice(path: Path, layout: Layout = FOCUS) -> Invoice:
    """All lines of a file.

    InputError names what is missing, each line that cannot be read, and a currency other than
    USD. With a layout, a file that has no column for the end of a charge's period is one of
    whole days.
    """
    table = read_table(path, MAX_BYTES)
    whole_days = layout is not FOCUS and layout.file_column("ChargePeriodEnd") not in table.header
    needed = REQUIRED[:-1] if whole_days else REQUIRED
    table.require([layout.file_column(each) for each in needed if each not in layout.fixed])
    seen: Counter[str] = Counter()

    def line(row: TableRow) -> InvoiceLine:
        return _line(row, _Cells(layout, row.cells), _identity(row.cells, seen), whole_days)

    lines = table.parsed(line)
    if not lines:
        raise InputError("It has no lines.", where=str(path), remedy="Export the charges as well.")
    if sum(abs(each.billed.micro_usd) for each in lines) > MOST_USD * MICRO_USD_PER_USD:
        raise InputError(
            f"Its lines ask more than any invoice does: {MOST_USD:,} USD.",
            where=str(path),
            remedy="Check the column of costs, and whether it is in dollars.",
        )
    return Invoice(path.name, table.sha256, layout.name, lines)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a row by the names that FOCUS has for them; "" where there is none."""

    layout: Layout
    cells: Mapping[str, str]

    def __getitem__(self, column: FocusColumn) -> str:
        found = self.cells.get(self.layout.file_column(column), "")
        return found or self.layout.fixed.get(column, "")


def _line(row: TableRow, cells: _Cells, identity: str, whole_days: bool) -> InvoiceLine:
    if cells["BillingCurrency"] != CURRENCY:
        raise ValueError(
            f"it is in {cells['BillingCurrency'] or 'no currency'}, the ledger in {CURRENCY}: let "
            f"the provider bill or export in {CURRENCY}"
        )
    starts_at, ends_at = _period(cells, whole_days)
    billed = Cost.of(exact_decimal(cells["BilledCost"]))
    effective = cells["EffectiveCost"]
    quantity = cells["PricingQuantity"]
    return InvoiceLine(
        identity=identity,
        line=row.line,
        starts_at=starts_at,
        ends_at=ends_at,
        category=_category(cells["ChargeCategory"]),
        billed=billed,
        effective=Cost.of(exact_decimal(effective)) if effective else billed,
        description=storable(cells["ChargeDescription"]),
        service=storable(cells["ServiceName"], 200),
        resource_id=storable(cells["ResourceId"], 500),
        resource_type=storable(cells["ResourceType"], 200),
        sku=storable(cells["SkuId"], 200),
        commitment=storable(cells["CommitmentDiscountStatus"], 200),
        quantity=_quantity(quantity) if quantity else None,
        unit=storable(cells["PricingUnit"], 100),
        tags=_tags(cells["Tags"]),
    )


def _period(cells: _Cells, whole_days: bool) -> tuple[datetime, datetime]:
    starts_at = _moment(cells["ChargePeriodStart"])
    if whole_days:
        starts_at = starts_at.replace(hour=0, minute=0, second=0, microsecond=0)
        return starts_at, starts_at + timedelta(days=1)
    ends_at = _moment(cells["ChargePeriodEnd"])
    if ends_at <= starts_at:
        raise ValueError(f"its period ends at {ends_at}, before it begins at {starts_at}")
    return starts_at, ends_at


def _moment(words: str) -> datetime:
    try:
        moment = datetime.fromisoformat(words)
        near(moment.date())
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except ValueError as error:
        raise ValueError(f"{words!r} is no moment such as 2026-11-01T00:00:00Z") from error


def _category(words: str) -> Category:
    if words not in CATEGORIES:
        raise ValueError(f"{words!r} is no category of a charge: {', '.join(CATEGORIES)}")
    return cast("Category", words)


def _quantity(words: str) -> Decimal:
    quantity = exact_decimal(words)
    if abs(quantity) > 10**12:
        raise ValueError(f"{words} is more than anybody uses")
    return quantity


def _tags(words: str) -> dict[str, str]:
    """A JSON object of names and values."""
    if not words:
        return {}
    try:
        found = json.loads(words)
    except (ValueError, RecursionError) as error:
        raise ValueError("its tags are no JSON object") from error
    if not isinstance(found, dict):
        raise ValueError("its tags are no JSON object")
    return {storable(str(name), 200): storable(str(value), 500) for name, value in found.items()}


def _identity(cells: Mapping[str, str], seen: Counter[str]) -> str:
    said = _digest(part for name in sorted(cells) for part in (name, cells[name]))
    seen[said] += 1
    return _digest((said, str(seen[said])))


def _digest(parts: Iterable[str]) -> str:
    return sha256(json.dumps(list(parts)).encode()).hexdigest()
