"""What is left of limits and of a budget after a plan has been carried out."""

from dataclasses import dataclass
from datetime import UTC, datetime

from wan_pipelines.ledger.amounts import Amount, told
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


def headroom_after(studio: Studio, plan: EditionPlan) -> tuple[Headroom, ...]:
    """Of all limits that bind who asks, and of the edition's budget if it has one.

    Limits count what rendering is expected to take; a budget counts the workers' starts, too.
    """
    edition = plan.edition
    count = studio.settings.rendering_class.gpu_count
    rendering = sum(planned.cost_micro_usd for planned in plan.shots)
    amount = Amount(len(plan.estimates), count * micros_in(plan.gpu_seconds), rendering)
    found = quotas_left(studio.ledger, edition.tenant, edition.user, now=datetime.now(UTC))
    limits = [
        Headroom(
            f"{told(quota.measure, quota.limit)} {PER[quota.scope]}",
            told(quota.measure, quota.left),
            told(quota.measure, max(0, quota.left - amount.of(quota.measure))),
        )
        for quota in found
        if quota.limit is not None and quota.left is not None
    ]
    left = plan.budget_left_micro_usd
    if left is None:
        return tuple(limits)
    after = max(0, left - plan.cost_micro_usd)
    words = (told("micro_usd", amount) for amount in (left, after))
    return (*limits, Headroom("budget of the edition", *words))
