"""What of the reserved GPUs nobody used, day by day."""

from datetime import UTC, date, datetime, timedelta

from wan_pipelines.ledger.fleets import Fleet
from wan_pipelines.ledger.idle import IdleDay, charge_idle
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.workers import close_dead_workers

REVISED_DAYS = 35
"""So many days are looked at every night: what is reported later than that is rare, and can be
charged by hand."""


def fleets_of(studio: Studio) -> tuple[Fleet, ...]:
    """The fleets that the environment declares, in its order."""
    return tuple(each.fleet(name) for name, each in studio.settings.reserved.items())


def charge_idle_days(
    studio: Studio, first: date | None = None, last: date | None = None
) -> tuple[IdleDay, ...]:
    """Charge or revise the idle time of days that are over; returns those that changed.

    Unless it is said which, those of the last `REVISED_DAYS`.
    """
    close_dead_workers(studio)
    now = datetime.now(UTC)
    last = last or now.date() - timedelta(days=1)
    first = first or now.date() - timedelta(days=REVISED_DAYS)
    return charge_idle(studio.ledger, fleets_of(studio), first, last, now=now)
