"""A line of an invoice, in the terms of FOCUS 1.x (https://focus.finops.org)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Literal, Self

Category = Literal["Usage", "Purchase", "Tax", "Credit", "Adjustment"]
Basis = Literal["billed", "effective"]
"""Billed is what is to be paid; effective spreads what was paid in advance over its use."""

MOST_USD = 10**9
_EXACT = Context(prec=200, rounding=ROUND_FLOOR)


@dataclass(frozen=True, slots=True)
class Cost:
    """What is asked, exactly: micro-dollars, and `rest`, the dollars that are finer than that.

    0 <= rest < 0.000001, below zero as above: the amount is never rounded.
    """

    micro_usd: int
    rest: Decimal = Decimal(0)

    @classmethod
    def of(cls, dollars: Decimal) -> Self:
        """ValueError for more than any invoice asks."""
        if abs(dollars) > MOST_USD:
            raise ValueError(f"{dollars} USD is more than any invoice asks")
        micro = int(_EXACT.quantize(_EXACT.scaleb(dollars, 6), Decimal(1)))
        return cls(micro, _EXACT.subtract(dollars, _EXACT.scaleb(Decimal(micro), -6)))


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What is asked for something from `starts_at` until `ends_at`; what was not said is empty.

    `identity` is the digest of all that the line says, and of how many lines before it say the
    same: where it occurs again, it is the same line.
    """

    identity: str
    line: int
    starts_at: datetime
    ends_at: datetime
    category: Category
    billed: Cost
    effective: Cost
    description: str = ""
    service: str = ""
    resource_id: str = ""
    resource_type: str = ""
    sku: str = ""
    commitment: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def cost(self, basis: Basis) -> Cost:
        return self.billed if basis == "billed" else self.effective


@dataclass(frozen=True, slots=True)
class Invoice:
    """A file as it was read; `sha256` is that of its text."""

    name: str
    sha256: str
    layout: str
    lines: tuple[InvoiceLine, ...]
