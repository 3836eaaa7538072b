"""Looks machine and deployment over, and says what to do about what is missing."""

from collections.abc import Iterator
from pathlib import Path

from wan_pipelines.errors import WanError
from wan_pipelines.from_environment import resolve
from wan_pipelines.studio.deployment_checks import check_deployment
from wan_pipelines.studio.findings import Finding
from wan_pipelines.studio.machine_checks import check_machine, check_threads
from wan_pipelines.studio.release_checks import check_fit, check_footholds
from wan_pipelines.studio.store_check import MARK
from wan_pipelines.studio.studio import open_studio
from wan_pipelines.studio.worker_checks import check_workers


def examine(root: Path, state: Path, environment: str) -> Iterator[Finding]:
    """Findings one after the other; checks that need the studio are left out if it won't open."""
    yield from check_machine(state)
    try:
        studio = open_studio(root, state, environment)
        studio.store.stat(MARK)
    except WanError as error:
        yield Finding("store and ledger", "problem", str(error))
        return
    store = resolve(studio.settings.store)
    yield Finding("store and ledger", "ok", f"store {store}, ledger {studio.ledger.name}")
    yield check_threads(studio.settings.workers)
    yield check_workers(studio)
    yield from check_deployment(studio)
    yield from check_fit(studio)
    yield from check_footholds(studio)
