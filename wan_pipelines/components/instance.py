"""This deployment's Dagster instance: made whole or not at all, whoever else is making it too.

Dagster makes its SQLite databases step by step. Two processes that do so at the same time can
spoil them, and one that is killed leaves what no later one repairs. So they are made in a draft
folder, one process at a time, and moved into place before the settings that say: complete. On
PostgreSQL a lock of the server's does for all hosts what the folder's does for this one.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from wan_pipelines.components.orphans import close_orphans
from wan_pipelines.errors import StorageError
from wan_pipelines.from_environment import Secret, for_dagster, resolve
from wan_pipelines.ledger.driver_errors import as_ledger_errors
from wan_pipelines.ledger.engines import display_name, parse_url

CONFIG = "dagster.yaml"
ADVISORY_LOCK = 0x57414E44  # "WAND"
CONFIG_TEXT = """\
# Written once; change it as you like.
telemetry: {enabled: false}
nux: {enabled: false}
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1}
run_monitoring:
  enabled: true
  poll_interval_seconds: 10
  free_slots_after_run_end_seconds: 30
run_retries: {enabled: false}
sensors: {use_threads: true, num_workers: 4}
schedules: {use_threads: true, num_workers: 4}
retention:
  sensor: {purge_after_days: {skipped: 1, failure: 7, success: 30}}
concurrency:
  pools: {granularity: op}
"""


def open_instance(state: Path, storage: Secret | None = None) -> dg.DagsterInstance:
    """This deployment's instance; runs whose process was killed are closed on the way.

    Its runs are kept in the PostgreSQL database `storage`, or in the folder.
    """
    os.environ["DAGSTER_HOME"] = str(dagster_home(state, storage))
    instance = dg.DagsterInstance.get()
    close_orphans(instance)
    return instance


def migrate_instance(state: Path, storage: Secret | None = None) -> None:
    """Bring Dagster's databases to the schema of this version; whoever tries meanwhile waits."""
    with open_instance(state, storage) as instance, _alone_on_server(storage):
        instance.upgrade()


def dagster_home(state: Path, storage: Secret | None = None) -> Path:
    """The folder of this deployment's Dagster instance, made if there is none."""
    home = state / "dagster"
    if not (home / CONFIG).exists():
        try:
            home.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(home):
                if not (home / CONFIG).exists():
                    _make(home, storage)
        except OSError as error:
            raise StorageError(
                f"Dagster's folder {home} cannot be made: {error.strerror}. Free space, or let "
                "this user write there."
            ) from error
    return home


def _make(home: Path, storage: Secret | None) -> None:
    draft = home / ".draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    (draft / CONFIG).write_text(CONFIG_TEXT + _text(storage_config(storage)))
    with _alone_on_server(storage), dg.DagsterInstance.from_config(str(draft)) as instance:
        instance.get_runs_count()
    for made in sorted(draft.iterdir(), key=lambda path: path.name == CONFIG):
        target = home / made.name
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    draft.rmdir()


def storage_config(storage: Secret | None) -> dict[str, Any]:
    """A secret that stands in the process environment is not written down here either."""
    if storage is None:
        return {}
    return {"storage": {"postgres": {"postgres_url": for_dagster(storage)}}}


def _text(config: dict[str, Any]) -> str:
    return yaml.safe_dump(config) if config else ""


@contextmanager
def _alone_on_server(storage: Secret | None) -> Iterator[None]:
    """One process of all hosts makes or changes Dagster's tables on a server at a time."""
    if storage is None:
        yield
        return
    from sqlalchemy import NullPool, create_engine, text

    url = parse_url(resolve(storage))
    server = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with as_ledger_errors(display_name(url)):
        connection = server.connect()
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    try:
        yield
    finally:
        connection.close()


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
