"""What was charged, by day and GPU class: videos, overheads, idle time."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import case, func, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.postings import POSTINGS
from wan_pipelines.ledger.reconciliation.periods import Period, spans_of, split_over
from wan_pipelines.ledger.whose import House

VIDEO, UNUSED = "render", "unused"
"""The parts of postings that are no overheads."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Micro-dollars by part of the account (see `postings`), GPU time, idle time included, how many
    amounts were rounded for it, and by how many micro-dollars corrections changed it.
    """

    micro_usd: Counter[str] = field(default_factory=Counter)
    gpu_microseconds: int = 0
    pieces: int = 0
    corrected: int = 0

    def __add__(self, other: "Spending") -> "Spending":
        both = Counter(self.micro_usd)
        both.update(other.micro_usd)
        return Spending(
            both,
            self.gpu_microseconds + other.gpu_microseconds,
            self.pieces + other.pieces,
            self.corrected + other.corrected,
        )

    @property
    def total(self) -> int:
        return self.micro_usd.total()

    @property
    def video(self) -> int:
        return self.micro_usd[VIDEO]

    @property
    def idle(self) -> int:
        return self.micro_usd[UNUSED]

    @property
    def overheads(self) -> dict[str, int]:
        """By part: load, wait, idle, replaced, wasted."""
        parts = sorted(self.micro_usd.items())
        return {part: amount for part, amount in parts if part not in (VIDEO, UNUSED) and amount}


def spending(ledger: Ledger, period: Period) -> Mapping[tuple[date, str], Spending]:
    """By day and class. Work across midnight is split there, in proportion to its time."""
    found: dict[tuple[date, str], Spending] = defaultdict(Spending)
    with ledger.read(House("invoice")) as session:
        rows = session.execute(
            _SPENT.where(
                POSTINGS.c.starts_at < to_micros(period.end),
                POSTINGS.c.ends_at > to_micros(period.begin),
            )
        )
        for gpu_class, starts_at, ends_at, part, *sums in rows:
            spans = spans_of(starts_at, ends_at, period)
            pieces = zip(*(split_over(int(each), spans) for each in sums), strict=True)
            for span, (lasted, amount, corrected) in zip(spans, pieces, strict=True):
                if span.day is not None:
                    spent = Spending(Counter({part: amount}), lasted, 1, corrected)
                    found[span.day, gpu_class] += spent
    return found


_PLACE = (POSTINGS.c.gpu_class, POSTINGS.c.starts_at, POSTINGS.c.ends_at, POSTINGS.c.part)
_BY_CORRECTION = case((POSTINGS.c.correction_id.is_not(None), POSTINGS.c.micro_usd), else_=0)
_SUMS = (POSTINGS.c.gpu_microseconds, POSTINGS.c.micro_usd, _BY_CORRECTION)
_SPENT = select(*_PLACE, *(func.sum(each) for each in _SUMS)).group_by(*_PLACE)
