"""Workers that died without saying so."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from wan_pipelines.ledger.workers import (
    close_lost_workers,
    give_up,
    open_takes,
    open_workers,
)
from wan_pipelines.processes import host_name, is_gone
from wan_pipelines.studio.leftovers import discard
from wan_pipelines.studio.studio import Studio

SILENT_LEASES = 3


def close_dead_workers(studio: Studio) -> None:
    """Settle workers that are gone, so that their shots are free at once, and clear up after them.

    On this host a process that does not exist any more is gone; elsewhere one is given up when it
    has been silent for several leases.
    """
    now = datetime.now(UTC)
    here = open_workers(studio.ledger, host_name())
    dead = [worker.id for worker in here if worker.process and is_gone(worker.process)]
    _clear_up(studio, dead)  # first: if this process is killed, too, the next one does it
    give_up(studio.ledger, dead, now=now)
    grace = timedelta(seconds=SILENT_LEASES * studio.settings.workers.lease_seconds)
    # Afterwards: they may live, and only what is abandoned is never accepted.
    _clear_up(studio, close_lost_workers(studio.ledger, now=now, grace=grace))


def _clear_up(studio: Studio, worker_ids: Sequence[str]) -> None:
    """Remove files of takes that the workers did not live to have accepted."""
    for take in open_takes(studio.ledger, worker_ids):
        discard(studio.store, take.tenant, take.render_key, take.take_id)
