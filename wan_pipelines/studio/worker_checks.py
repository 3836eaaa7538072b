"""Do the workers that are paid get on?"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from wan_pipelines.ledger.reports import WorkingWorker, working_workers
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.findings import Finding
from wan_pipelines.studio.studio import Studio


def check_workers(studio: Studio) -> Finding:
    """How many there are, and which of them hang or have fallen silent."""
    found = working_workers(studio.ledger, House("upkeep"))
    silent = timedelta(seconds=studio.settings.workers.lease_seconds)
    limit = studio.settings.deadlines.at_least_seconds
    quiet = [each for each in found if datetime.now(UTC) - each.heartbeat_at > silent]
    slow = [each for each in found if (each.last_step_age_seconds or 0) > limit]
    message = f"{len(found)} paid at the moment"
    if not quiet and not slow:
        return Finding("workers", "ok", message)
    words = [
        *_named(quiet, f"no sign of life for {silent.total_seconds():g} s"),
        *_named(slow, f"no step for {limit:g} s"),
    ]
    remedy = "The next run settles those that are gone; `wan workers` shows where each is."
    return Finding("workers", "notice", f"{message}; {'; '.join(words)}.", remedy)


def _named(workers: Sequence[WorkingWorker], trouble: str) -> list[str]:
    return [f"{each.host}:{each.pid}: {trouble}" for each in workers]
