"""Where budgets stand before an edition is admitted."""

from dataclasses import replace
from datetime import datetime

from wan_pipelines.ledger.budget_rows import would_bind
from wan_pipelines.ledger.budget_sums import with_reserved
from wan_pipelines.ledger.budgets import Budget, BudgetKey, Budgets, BudgetStanding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.tenants import account_of


def standing_before(
    ledger: Ledger, edition: EditionKey, budgets: Budgets, *, now: datetime
) -> tuple[BudgetStanding, ...]:
    """Where the budgets stand that would bind an edition, the tenant's first.

    What its own shots have reserved is not among it: who plans the edition counts them among what
    it costs.
    """
    whole = BudgetKey(edition.tenant, edition.campaign, edition.edition)
    with ledger.look(edition.tenant) as transaction:
        zone = account_of(transaction, edition.tenant, edition.user, now, known=False).zone
        fresh = BudgetStanding.of(whole, Budget(0), zone.key, now)
        own = with_reserved(transaction, fresh).reserved
        found = would_bind(transaction, edition, budgets, zone, now)
    return tuple(
        replace(each, reserved=each.reserved - own) for each in sorted(found, key=lambda s: s.key)
    )
