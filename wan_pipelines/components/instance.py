"""This deployment's Dagster instance: made whole or not at all, whoever else is making it too.

Dagster makes its SQLite databases step by step. Two processes that do so at the same time can
spoil them, and one that is killed leaves what no later one repairs. So they are made in a draft
folder, one process at a time, and moved into place before the settings that say: complete.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from wan_pipelines.components.orphans import close_orphans
from wan_pipelines.errors import StorageError

CONFIG = "dagster.yaml"
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


def open_instance(state: Path) -> dg.DagsterInstance:
    """This deployment's instance; runs whose process was killed are closed on the way."""
    os.environ["DAGSTER_HOME"] = str(dagster_home(state))
    instance = dg.DagsterInstance.get()
    close_orphans(instance)
    return instance


def dagster_home(state: Path) -> Path:
    """The folder of this deployment's Dagster instance, made if there is none."""
    home = state / "dagster"
    if not (home / CONFIG).exists():
        try:
            home.mkdir(parents=True, exist_ok=True)
            with _one_at_a_time(home):
                if not (home / CONFIG).exists():
                    _make(home)
        except OSError as error:
            raise StorageError(
                f"Dagster's folder {home} cannot be made: {error.strerror}. Free space, or let "
                "this user write there."
            ) from error
    return home


def _make(home: Path) -> None:
    draft = home / ".draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    (draft / CONFIG).write_text(CONFIG_TEXT)
    with dg.DagsterInstance.from_config(str(draft)) as instance:
        instance.get_runs_count()
    for made in sorted(draft.iterdir(), key=lambda path: path.name == CONFIG):
        target = home / made.name
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    draft.rmdir()


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    descriptor = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
