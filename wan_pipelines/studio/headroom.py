"""What is left of limits and budgets after a plan has been carried out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from wan_pipelines.ledger.amounts import Amount, told
from wan_pipelines.ledger.budget_previews import standing_before
from wan_pipelines.ledger.budgets import Budgets
from wan_pipelines.ledger.limits import PER
from wan_pipelines.ledger.moments import micros_in
from wan_pipelines.ledger.quotas import quotas_left
from wan_pipelines.studio.plans import EditionPlan
from wan_pipelines.studio.studio import Studio


@dataclass(frozen=True, slots=True)
class Headroom:
    """A limit or budget, what is left of it now, and what would be left then, in words."""

    what: str
    left: str
    after: str


def headroom_after(studio: Studio, plan: EditionPlan, budgets: Budgets) -> tuple[Headroom, ...]:
    """Of all limits that bind who asks, and of all budgets; `budgets` are the campaign's own.

    Limits count what rendering is expected to take, once it is reserved; a budget counts the
    workers' starts, too.
    """
    return (*_below_limits(studio, plan), *_below_budgets(studio, plan, budgets))


def _below_limits(studio: Studio, plan: EditionPlan) -> Iterator[Headroom]:
    edition = plan.edition
    count = studio.settings.rendering_class.gpu_count
    new = [planned for planned in plan.shots if planned.estimate and not planned.reserved]
    seconds = sum(planned.gpu_seconds for planned in new)
    cost = sum(planned.cost_micro_usd for planned in new)
    amount = Amount(len(new), count * micros_in(seconds), cost)
    for quota in quotas_left(studio.ledger, edition.tenant, edition.user, now=datetime.now(UTC)):
        if quota.limit is not None and quota.left is not None:
            yield Headroom(
                f"{told(quota.measure, quota.limit)} {PER[quota.scope]}",
                told(quota.measure, quota.left),
                told(quota.measure, max(0, quota.left - amount.of(quota.measure))),
            )


def _below_budgets(studio: Studio, plan: EditionPlan, budgets: Budgets) -> Iterator[Headroom]:
    """Of one that only notifies, what is left of all of it."""
    found = standing_before(studio.ledger, plan.edition, budgets, now=datetime.now(UTC))
    for each in found:
        left = max(0, each.budget.ceiling - each.used)
        whose = "the edition" if each.key.edition else each.whose
        words = (told("micro_usd", some) for some in (left, max(0, left - plan.cost_micro_usd)))
        yield Headroom(f"budget of {whose}", *words)
