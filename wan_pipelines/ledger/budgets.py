"""Budgets of editions: what workers were paid and what is reserved, against what it may cost."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from sqlalchemy import bindparam, case, func, select

from wan_pipelines.ledger.amounts import Amount, told
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR
from wan_pipelines.ledger.statements import Transaction, table
from wan_pipelines.ledger.tables import PriceRow, WorkerRow

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What an edition may still cost, in micro-dollars; it never resets."""

    edition: EditionKey
    limit: int
    used: int
    resets_at: datetime = NEVER

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    def lacks(self, amount: Amount) -> bool:
        """Is less left than that?"""
        return amount.micro_usd > self.left

    def less(self, amount: Amount) -> Self:
        """The same after so much more has been reserved."""
        return replace(self, used=self.used + amount.micro_usd)

    def may_run_at(self, amount: Amount) -> datetime | None:  # noqa: ARG002 (as for limits)
        """Not before somebody raises it."""
        return None

    def refusal(self, amount: Amount) -> str:
        """Why that is refused, and what to do."""
        limit, left, needed = (
            told("micro_usd", value) for value in (self.limit, self.left, amount.micro_usd)
        )
        return (
            f"budget of {limit} for edition {self.edition.campaign}/{self.edition.edition}: "
            f"{left} left, about {needed} needed; raise budget_usd and run it again"
        )


def spent(transaction: Transaction, edition_id: int) -> int:
    """What the workers of an edition have cost until now, in micro-dollars.

    A worker that is still paid counts until its last sign of life.
    """
    return int(transaction.execute(_SPENT, {"edition": edition_id}).scalar_one())


_WORKERS, _PRICES = table(WorkerRow), table(PriceRow)
_RUNNING = (
    _WORKERS.c.gpu_count
    * (_WORKERS.c.heartbeat_at - _WORKERS.c.started_at)
    * _PRICES.c.micro_usd_per_gpu_hour
    // MICROSECONDS_PER_HOUR
)
_SPENT = (
    select(
        func.coalesce(
            func.sum(
                case((_WORKERS.c.ended_at.is_(None), _RUNNING), else_=_WORKERS.c.paid_micro_usd)
            ),
            0,
        )
    )
    .join_from(_WORKERS, _PRICES, _PRICES.c.id == _WORKERS.c.price_id)
    .where(_WORKERS.c.edition_id == bindparam("edition"))
)
