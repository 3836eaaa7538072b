"""Where the budgets of tenants, campaigns and editions stand, and what there is to tell."""

from datetime import datetime, timedelta

from wan_pipelines.ledger.budget_notices import BudgetNotice, note_reached
from wan_pipelines.ledger.budget_rows import budgets_of
from wan_pipelines.ledger.budgets import BudgetStanding
from wan_pipelines.studio.studio import Studio

RECENT = timedelta(days=35)
"""For so long after an edition was admitted last, its budget is looked at."""


def standings(studio: Studio, tenant: str, now: datetime) -> tuple[BudgetStanding, ...]:
    """Where the budgets of a tenant, its campaigns and its recent editions stand.

    InputError for a tenant that the environment does not know.
    """
    studio.settings.tenant(tenant)
    return budgets_of(studio.ledger, tenant, now - RECENT, now=now)


def reached(studio: Studio, now: datetime) -> tuple[BudgetNotice, ...]:
    """What has been reached of anybody's budgets since somebody looked last; told once each."""
    return tuple(
        notice
        for tenant in studio.settings.tenants
        for notice in note_reached(studio.ledger, tenant, standings(studio, tenant, now), now=now)
    )
