"""The price book: what one GPU of a class costs an hour, from a moment on. Append-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import insert_missing
from wan_pipelines.ledger.tables import PriceRow

Market = Literal["on-demand", "spot"]


@dataclass(frozen=True, slots=True)
class Price:
    """What one GPU of a class costs from `valid_from` on. A laptop's CPU is a class as well."""

    gpu_class: str
    micro_usd_per_gpu_hour: int
    valid_from: datetime
    market: Market = "on-demand"


def publish_prices(ledger: Ledger, prices: Sequence[Price], *, now: datetime) -> None:
    """Add prices to the book. Publishing the same price again changes nothing.

    Raises `LedgerError` for a negative price, and for a second price of a class and market from
    the very same moment on: work may have been charged at the first.
    """
    rows = [_row(price, to_micros(now)) for price in prices]
    with ledger.read() as session:
        missing = [row for row in rows if not _is_published(session, row)]
    if not missing:
        return
    with ledger.write() as session:
        insert_missing(session, PriceRow, missing)
        for row in rows:
            _is_published(session, row)


def price_at(
    ledger: Ledger, gpu_class: str, moment: datetime, market: Market = "on-demand"
) -> Price:
    """The price that holds at a moment; `LedgerError` when the book has none."""
    with ledger.read() as session:
        return _price(price_row_at(session, gpu_class, moment, market))


def known_price(
    ledger: Ledger, gpu_class: str, moment: datetime, market: Market = "on-demand"
) -> Price | None:
    """The price that holds at a moment, if the book has one."""
    with ledger.read() as session:
        row = _row_at(session, gpu_class, moment, market)
        return row and _price(row)


def price_row_at(session: Session, gpu_class: str, moment: datetime, market: str) -> PriceRow:
    """As `price_at`, inside a transaction."""
    row = _row_at(session, gpu_class, moment, market)
    if row is None:
        raise LedgerError(
            f"There is no {market} price for GPU class {gpu_class!r} at {moment:%Y-%m-%d %H:%M} "
            "UTC. Add one to the environment's prices; nothing is rendered that nobody can charge."
        )
    return row


def _row_at(session: Session, gpu_class: str, moment: datetime, market: str) -> PriceRow | None:
    return session.scalars(
        select(PriceRow)
        .where(
            PriceRow.gpu_class == gpu_class,
            PriceRow.market == market,
            PriceRow.valid_from <= to_micros(moment),
        )
        .order_by(PriceRow.valid_from.desc())
        .limit(1)
    ).one_or_none()


def _price(row: PriceRow) -> Price:
    valid_from = from_micros(row.valid_from)
    return Price(row.gpu_class, row.micro_usd_per_gpu_hour, valid_from, cast("Market", row.market))


def _row(price: Price, moment: int) -> dict[str, object]:
    if price.micro_usd_per_gpu_hour < 0:
        raise LedgerError(
            f"The price of GPU class {price.gpu_class!r} is negative "
            f"({price.micro_usd_per_gpu_hour} micro-dollars an hour)."
        )
    return {
        "gpu_class": price.gpu_class,
        "market": price.market,
        "micro_usd_per_gpu_hour": price.micro_usd_per_gpu_hour,
        "valid_from": to_micros(price.valid_from),
        "created_at": moment,
    }


def _is_published(session: Session, row: dict[str, object]) -> bool:
    names = {name: row[name] for name in ("gpu_class", "market", "valid_from")}
    found = session.scalars(select(PriceRow).filter_by(**names)).one_or_none()
    if found and found.micro_usd_per_gpu_hour != row["micro_usd_per_gpu_hour"]:
        raise LedgerError(
            f"GPU class {found.gpu_class!r} already costs {found.micro_usd_per_gpu_hour} "
            f"micro-dollars an hour ({found.market}) from {from_micros(found.valid_from)} on. A "
            "price is never changed: give the new one a later `valid_from`."
        )
    return found is not None
