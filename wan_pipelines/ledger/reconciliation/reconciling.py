"""A period reconciled: by class, by day and class, and as a whole."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.invoices.book import lines_between
from wan_pipelines.ledger.invoices.lines import Basis
from wan_pipelines.ledger.reconciliation.billing import (
    Bill,
    Billed,
    ClassRule,
    Kind,
    Subject,
    bill,
)
from wan_pipelines.ledger.reconciliation.differences import Difference, differences
from wan_pipelines.ledger.reconciliation.periods import Period
from wan_pipelines.ledger.reconciliation.spending import Spending, spending

LEAST_MICRO_USD = 10_000
"""A cent is never beyond a tolerance."""
KINDS: tuple[Kind, ...] = ("gpu", "unknown", "credit", "adjustment", "tax")
"""In the order in which they are shown."""

_Key = tuple[date | None, Subject]


@dataclass(frozen=True, slots=True)
class Row:
    """A subject, over the whole period or (with `day`) on a day of it."""

    day: date | None
    subject: Subject
    billed: Billed
    spent: Spending
    differences: tuple[Difference, ...]

    @property
    def difference(self) -> int:
        """Micro-dollars that are asked and were not charged."""
        return self.billed.micro_usd - self.spent.total

    def is_within(self, tolerance: Decimal, total: int) -> bool:
        """Is the difference at most that share: of the class, or of all where it is of none?

        Taxes, credits and adjustments are no mistakes.
        """
        if self.subject.kind in ("tax", "credit", "adjustment"):
            return True
        of = max(self.billed.micro_usd, self.spent.total) if self.subject.kind == "gpu" else total
        return abs(self.difference) <= max(Decimal(LEAST_MICRO_USD), tolerance * of)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was asked for a period and what was charged; rows by subject, and by day and subject.

    Over either rows, video costs + overheads + idle time + differences are what is asked for, and
    `rest` beyond that is what of it is finer than micro-dollars.
    """

    period: Period
    basis: Basis
    rows: tuple[Row, ...]
    days: tuple[Row, ...]
    rest: Decimal
    outside_micro_usd: int
    lines: int

    @property
    def asked(self) -> int:
        return sum(row.billed.micro_usd for row in self.rows)

    def beyond(self, tolerance: Decimal) -> tuple[Row, ...]:
        """The subjects that differ by more than a share."""
        return tuple(row for row in self.rows if not row.is_within(tolerance, self.asked))


def reconcile(
    ledger: Ledger, rules: Sequence[ClassRule], period: Period, basis: Basis = "billed"
) -> Reconciliation:
    """Compare the lines of all invoices that are about a period with what was charged for it."""
    asked = bill(lines_between(ledger, period.begin, period.end), rules, period, basis)
    return compared(asked, spending(ledger, period), period, basis)


def compared(
    asked: Bill, spent: Mapping[tuple[date, str], Spending], period: Period, basis: Basis
) -> Reconciliation:
    """As `reconcile`, of what is known already."""
    billed_days: dict[_Key, Billed] = {**asked.by_day}
    spent_days: dict[_Key, Spending] = {
        (day, Subject("gpu", name)): each for (day, name), each in spent.items()
    }
    billed: dict[_Key, Billed] = defaultdict(Billed)
    for (_, subject), amount in billed_days.items():
        billed[None, subject] += amount
    charged: dict[_Key, Spending] = defaultdict(Spending)
    for (_, subject), amount in spent_days.items():
        charged[None, subject] += amount
    return Reconciliation(
        period,
        basis,
        _rows(billed, charged),
        _rows(billed_days, spent_days),
        asked.rest,
        asked.outside_micro_usd,
        asked.lines,
    )


def _rows(billed: Mapping[_Key, Billed], spent: Mapping[_Key, Spending]) -> tuple[Row, ...]:
    found: list[Row] = []
    for day, subject in sorted({*billed, *spent}, key=_order):
        asked = billed.get((day, subject), Billed())
        charged = spent.get((day, subject), Spending())
        found.append(Row(day, subject, asked, charged, differences(subject, asked, charged)))
    return tuple(found)


def _order(key: _Key) -> tuple[date, int, str]:
    day, subject = key
    return day or date.min, KINDS.index(subject.kind), subject.name
