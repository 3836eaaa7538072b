"""Where the budgets of tenants, campaigns and editions stand, and what there is to tell."""

from datetime import datetime, timedelta

from wan_pipelines.ledger.budget_notices import BudgetNotice, note_reached
from wan_pipelines.ledger.budget_rows import standings_of
from wan_pipelines.ledger.budgets import BudgetStanding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.whose import Asked
from wan_pipelines.studio.studio import Studio

RECENT = timedelta(days=35)
"""For so long after an edition was admitted last, its budget is looked at."""


def standings(ledger: Ledger, whose: Asked, now: datetime) -> tuple[BudgetStanding, ...]:
    """Where the budgets of tenants, their campaigns and their recent editions stand."""
    return standings_of(ledger, whose, now - RECENT, now=now)


def reached(studio: Studio, now: datetime) -> tuple[BudgetNotice, ...]:
    """What has been reached of anybody's budgets since somebody looked last; told once each."""
    ledger = studio.ledger
    return tuple(
        notice
        for tenant in studio.settings.tenants
        for notice in note_reached(ledger, tenant, standings(ledger, tenant, now), now=now)
    )
