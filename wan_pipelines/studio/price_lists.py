"""Price lists that providers publish, as CSV, for the price book."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import cast, get_args

from pydantic import TypeAdapter, ValidationError

from wan_pipelines.csv_tables import TableRow, exact_decimal, read_table
from wan_pipelines.ledger.money import micro_usd
from wan_pipelines.ledger.prices import Market, Price
from wan_pipelines.studio.price_settings import Moment

MAX_BYTES = 2**20
MARKETS = get_args(Market)
COLUMNS = ("gpu_class", "usd_per_hour", "valid_from")

_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


def read_price_list(path: Path, *, decided_by: str, reason: str) -> tuple[Price, ...]:
    """The prices of a file with `COLUMNS`, and `market` where they are not all on-demand ones.

    InputError names each line that cannot be read.
    """
    table = read_table(path, MAX_BYTES)
    table.require(COLUMNS)
    return table.parsed(lambda row: _price(row, decided_by, reason))


def parsed_price(words: str) -> int:
    """Micro-dollars an hour; a ValueError says what is no price."""
    dollars = exact_decimal(words)
    if not Decimal(0) <= dollars <= 1_000_000:
        raise ValueError(f"{words} is no price of an hour: write dollars, from 0 on")
    return micro_usd(dollars)


def parsed_moment(words: str) -> datetime:
    """A day, or a day and a time, in UTC unless it says otherwise; ValueError if it is neither."""
    try:
        return _MOMENT.validate_python(words)
    except ValidationError as error:
        raise ValueError(f"{words!r} is no moment: write it such as 2026-12-01") from error


def _price(row: TableRow, decided_by: str, reason: str) -> Price:
    cells = row.cells
    market = cells.get("market") or "on-demand"
    if market not in MARKETS:
        raise ValueError(f"{market!r} is no market: write {' or '.join(MARKETS)}")
    if not cells["gpu_class"]:
        raise ValueError("gpu_class is empty")
    return Price(
        cells["gpu_class"],
        parsed_price(cells["usd_per_hour"]),
        parsed_moment(cells["valid_from"]),
        cast("Market", market),
        decided_by,
        reason,
    )
