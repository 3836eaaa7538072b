"""The night's work on the ledger: give back what vanished runs hold, forget what nobody needs any
more, and see that all adds up.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wan_pipelines.ledger.audits import Discrepancy, discrepancies
from wan_pipelines.ledger.expiry import expire_reservations
from wan_pipelines.ledger.turns import forget_turns
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.workers import close_dead_workers

EXPIRES_AFTER = timedelta(hours=24)
"""How long a reservation outlives the last sign of life of its edition."""
TURNS_KEPT = timedelta(days=30)
"""For so long a run that is executed again takes the turns of its first time."""


@dataclass(frozen=True, slots=True)
class Audit:
    """How many reservations were given back, and what does not add up, which nobody repairs."""

    expired: int
    discrepancies: tuple[Discrepancy, ...]


def audit(studio: Studio) -> Audit:
    """Settle dead workers, expire reservations, forget old turns at the GPUs, compare entries with
    takes and charges.
    """
    close_dead_workers(studio)
    now = datetime.now(UTC)
    forget_turns(studio.ledger, noted_before=now - TURNS_KEPT)
    expired = expire_reservations(studio.ledger, idle_for=EXPIRES_AFTER, now=now)
    return Audit(expired, discrepancies(studio.ledger))
