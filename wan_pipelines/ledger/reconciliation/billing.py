"""What providers ask, by day and subject: a GPU class, a tax, what nobody recognises."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from wan_pipelines.ledger.invoices.lines import Basis, Category, InvoiceLine
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR
from wan_pipelines.ledger.reconciliation.periods import Period, spans_of, split_over

Kind = Literal["gpu", "unknown", "tax", "credit", "adjustment"]

ASIDE: Mapping[Category, Kind] = {"Tax": "tax", "Credit": "credit", "Adjustment": "adjustment"}
"""What is asked for no GPU in particular."""

HOUR = Fraction(MICROSECONDS_PER_HOUR)
UNITS: Mapping[str, Fraction] = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "gpu-hours", "gpu hours"), HOUR),
    **dict.fromkeys(("minute", "minutes", "gpu-minutes"), HOUR / 60),
    **dict.fromkeys(("s", "second", "seconds", "gpu-seconds"), HOUR / 3600),
}


@dataclass(frozen=True, slots=True)
class ClassRule:
    """By what a class is recognised: an SKU, a type of resource, or all of its tags."""

    gpu_class: str
    skus: frozenset[str] = frozenset()
    resource_types: frozenset[str] = frozenset()
    tags: tuple[tuple[str, str], ...] = ()
    gpus_per_unit: int = 1

    def recognises(self, line: InvoiceLine) -> bool:
        if line.sku in self.skus or line.resource_type in self.resource_types:
            return True
        return bool(self.tags) and all(line.tags.get(name) == value for name, value in self.tags)


@dataclass(frozen=True, slots=True)
class Subject:
    """What lines are about: a class by its name, or something else by what the invoice calls it."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Billed:
    """Micro-dollars, GPU time as far as lines give any, and how many pieces of lines these are."""

    micro_usd: int = 0
    gpu_microseconds: int = 0
    pieces: int = 0
    unmeasured: bool = False

    def __add__(self, other: "Billed") -> "Billed":
        return Billed(
            self.micro_usd + other.micro_usd,
            self.gpu_microseconds + other.gpu_microseconds,
            self.pieces + other.pieces,
            self.unmeasured or other.unmeasured,
        )


@dataclass(frozen=True, slots=True)
class Bill:
    """What is asked for the days of a period; `rest` is what of it is finer than a micro-dollar.

    `outside_micro_usd` is what the same lines ask for days before and after.
    """

    by_day: Mapping[tuple[date, Subject], Billed]
    rest: Decimal
    outside_micro_usd: int
    lines: int

    @property
    def micro_usd(self) -> int:
        return sum(each.micro_usd for each in self.by_day.values())


def bill(
    lines: Iterable[InvoiceLine], rules: Sequence[ClassRule], period: Period, basis: Basis
) -> Bill:
    """What lines that overlap a period ask for it; each is spread over its time evenly.

    What of a line is finer than a micro-dollar belongs to the period in which the line begins.
    """
    found: dict[tuple[date, Subject], Billed] = defaultdict(Billed)
    rest, outside, count = Decimal(0), 0, 0
    for line in lines:
        count += 1
        subject, time = _subject(line, rules)
        spans = spans_of(to_micros(line.starts_at), to_micros(line.ends_at), period)
        asked = line.cost(basis)
        money = split_over(asked.micro_usd, spans)
        times = split_over(time or 0, spans)
        if spans[0].day is not None:
            rest += asked.rest
        unmeasured = time is None and bool(asked.micro_usd) and line.category == "Usage"
        for span, amount, lasted in zip(spans, money, times, strict=True):
            if span.day is None:
                outside += amount
            else:
                found[span.day, subject] += Billed(amount, lasted, 1, unmeasured)
    return Bill(found, rest, outside, count)


def _subject(line: InvoiceLine, rules: Sequence[ClassRule]) -> tuple[Subject, int | None]:
    """Whom a line is about, and for how long, as far as it says so."""
    kind = ASIDE.get(line.category)
    if kind:
        return Subject(kind, line.description or line.service), None
    rule = next((rule for rule in rules if rule.recognises(line)), None)
    if rule is None:
        return Subject("unknown", line.sku or line.service or line.description), None
    return Subject("gpu", rule.gpu_class), _gpu_microseconds(line, rule.gpus_per_unit)


def _gpu_microseconds(line: InvoiceLine, gpus_per_unit: int) -> int | None:
    """GPU time of a line, to the microsecond; None where its unit is no time."""
    unit = UNITS.get(line.unit.lower().removeprefix("1 "))
    if line.category != "Usage" or line.quantity is None or unit is None:
        return None
    return round(Fraction(line.quantity) * unit * gpus_per_unit)
