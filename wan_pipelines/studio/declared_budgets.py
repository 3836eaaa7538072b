"""Budgets of tenants and briefs, as the ledger keeps them."""

from decimal import ROUND_FLOOR, Decimal

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.budgets import Budget as Declared
from wan_pipelines.ledger.budgets import Budget, Budgets
from wan_pipelines.ledger.money import micro_usd

MICRO = Decimal("0.000001")


def ledger_budget(declared: Declared | None) -> Budget | None:
    """A budget in micro-dollars; what is a part of one more is left out."""
    if declared is None:
        return None
    return Budget(
        whole=_part(declared.usd, Decimal(1)),
        notify=tuple(_part(declared.usd, part) for part in declared.notify_at),
        finish=None if declared.finish_at is None else _part(declared.usd, declared.finish_at),
        stop=None if declared.stop_at is None else _part(declared.usd, declared.stop_at),
    )


def budgets_of(brief: Brief) -> Budgets:
    """What a brief's editions may cost, and all of them a month."""
    return Budgets(ledger_budget(brief.edition_budget), ledger_budget(brief.budget_per_month))


def _part(usd: Decimal, part: Decimal) -> int:
    return micro_usd((usd * part).quantize(MICRO, ROUND_FLOOR))
