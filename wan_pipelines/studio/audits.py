"""The night's work on the ledger: give back what vanished runs hold, and see that all adds up."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wan_pipelines.ledger.audits import Discrepancy, discrepancies
from wan_pipelines.ledger.expiry import expire_reservations
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.workers import close_dead_workers

EXPIRES_AFTER = timedelta(hours=24)
"""How long a reservation outlives the last sign of life of its edition."""


@dataclass(frozen=True, slots=True)
class Audit:
    """How many reservations were given back, and what does not add up, which nobody repairs."""

    expired: int
    discrepancies: tuple[Discrepancy, ...]


def audit(studio: Studio) -> Audit:
    """Settle dead workers, expire reservations, compare entries with takes and charges."""
    close_dead_workers(studio)
    now = datetime.now(UTC)
    expired = expire_reservations(studio.ledger, idle_for=EXPIRES_AFTER, now=now)
    return Audit(expired, discrepancies(studio.ledger))
