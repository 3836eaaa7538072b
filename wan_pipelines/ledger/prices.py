"""The price book: what one GPU of a class costs an hour, from a moment on. Append-only.

A price holds until the next one of its class and market begins. Workers are paid at the price of
the moment at which they began, to their end: a price that changes meanwhile is for those that
begin later. So every charge has one price, and a worker's charges add up to what it was paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Literal, cast

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import insert_missing, storable
from wan_pipelines.ledger.tables import PriceRow
from wan_pipelines.ledger.whose import SHARED

Market = Literal["on-demand", "spot"]


@dataclass(frozen=True, slots=True)
class Price:
    """What one GPU of a class costs from `valid_from` on. A laptop's CPU is a class as well.

    Whoever set it is None where an environment's YAML did.
    """

    gpu_class: str
    micro_usd_per_gpu_hour: int
    valid_from: datetime
    market: Market = "on-demand"
    decided_by: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """A price of the book, until when it holds (None: to this day), and when it was written."""

    price: Price
    valid_until: datetime | None
    decided_at: datetime


def publish_prices(
    ledger: Ledger, prices: Sequence[Price], *, now: datetime, dry_run: bool = False
) -> tuple[Price, ...]:
    """Add prices to the book; returns those that were not there. A `dry_run` keeps nothing.

    Raises `LedgerError` for a negative price, and for a second price of a class and market from
    the very same moment on: work may have been charged at the first.
    """
    rows = [_row(price, to_micros(now)) for price in prices]
    if not rows:
        return ()
    with ledger.read(SHARED) as session:
        published = [_is_published(session, row) for row in rows]
    missing = [row for row, known in zip(rows, published, strict=True) if not known]
    if missing:
        with ledger.write(SHARED) as session:
            insert_missing(session, PriceRow, missing)
            for row in rows:
                _is_published(session, row)
            if dry_run:
                session.rollback()
    return tuple(price for price, known in zip(prices, published, strict=True) if not known)


def price_periods(ledger: Ledger, gpu_class: str | None = None) -> tuple[PricePeriod, ...]:
    """The whole book, or that of a class, by class, market and time."""
    query = select(PriceRow).order_by(PriceRow.gpu_class, PriceRow.market, PriceRow.valid_from)
    if gpu_class is not None:
        query = query.where(PriceRow.gpu_class == gpu_class)
    with ledger.read(SHARED) as session:
        rows = session.scalars(query).all()
        return tuple(
            PricePeriod(
                _price(row),
                from_micros(after.valid_from) if after and _is_alike(row, after) else None,
                from_micros(row.created_at),
            )
            for row, after in zip_longest(rows, rows[1:])
        )


def declared_price(
    ledger: Ledger, gpu_class: str, moment: datetime, market: Market = "on-demand"
) -> Price | None:
    """As `known_price`, of those that an environment's YAML declared."""
    with ledger.read(SHARED) as session:
        row = _row_at(session, gpu_class, moment, market, PriceRow.decided_by.is_(None))
        return row and _price(row)


def price_at(
    ledger: Ledger, gpu_class: str, moment: datetime, market: Market = "on-demand"
) -> Price:
    """The price that holds at a moment; `LedgerError` when the book has none."""
    with ledger.read(SHARED) as session:
        return _price(price_row_at(session, gpu_class, moment, market))


def known_price(
    ledger: Ledger, gpu_class: str, moment: datetime, market: Market = "on-demand"
) -> Price | None:
    """The price that holds at a moment, if the book has one."""
    with ledger.read(SHARED) as session:
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


def _row_at(
    session: Session, gpu_class: str, moment: datetime, market: str, *further: ColumnElement[bool]
) -> PriceRow | None:
    return session.scalars(
        select(PriceRow)
        .where(
            *further,
            PriceRow.gpu_class == gpu_class,
            PriceRow.market == market,
            PriceRow.valid_from <= to_micros(moment),
        )
        .order_by(PriceRow.valid_from.desc())
        .limit(1)
    ).one_or_none()


def _price(row: PriceRow) -> Price:
    return Price(
        row.gpu_class,
        row.micro_usd_per_gpu_hour,
        from_micros(row.valid_from),
        cast("Market", row.market),
        row.decided_by,
        row.reason,
    )


def _is_alike(row: PriceRow, other: PriceRow) -> bool:
    return (row.gpu_class, row.market) == (other.gpu_class, other.market)


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
        "decided_by": price.decided_by and storable(price.decided_by, 200),
        "reason": storable(price.reason),
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
