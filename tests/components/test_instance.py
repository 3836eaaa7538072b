"""Dagster's databases: whole, however many processes make them, and whichever is killed at it."""

import multiprocessing
import os
import signal
import sys
from itertools import count
from pathlib import Path
from types import FrameType

import dagster as dg
import pytest

from wan_pipelines.components.instance import CONFIG, dagster_home, open_instance
from wan_pipelines.errors import StorageError

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["wan_pipelines.components.instance"])
STORAGE = f"{os.sep}dagster{os.sep}_core{os.sep}storage{os.sep}"
MOMENTS = [200, 600]
"""Calls into Dagster's storage: it makes some 700 while it makes its databases."""


def make_and_die(state: Path, at: int) -> None:
    """Make the instance, and be killed at a call into Dagster's storage."""
    numbers = count(1)

    def watch(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and STORAGE in frame.f_code.co_filename and next(numbers) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)
    dagster_home(state)


def make(state: Path) -> None:
    open_instance(state).dispose()


def assert_works(state: Path) -> None:
    with open_instance(state) as instance:
        assert instance.get_runs_count() == 0
        assert not instance.fetch_materializations(dg.AssetKey("any"), limit=1).records
        assert not instance.all_instigator_state()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_while_it_is_made(tmp_path: Path, moment: int) -> None:
    process = processes.Process(target=make_and_die, args=(tmp_path, moment))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "dagster" / CONFIG).exists()
    assert_works(tmp_path)


def test_several_processes_make_it_at_once(tmp_path: Path) -> None:
    several = [processes.Process(target=make, args=(tmp_path,)) for _ in range(3)]
    for process in several:
        process.start()
    for process in several:
        process.join()
    assert [process.exitcode for process in several] == [0, 0, 0]
    assert_works(tmp_path)


def test_what_people_changed_stays(tmp_path: Path) -> None:
    config = dagster_home(tmp_path) / CONFIG
    config.write_text("telemetry: {enabled: false}\n")
    assert dagster_home(tmp_path) == config.parent
    assert config.read_text() == "telemetry: {enabled: false}\n"


def test_a_folder_that_nobody_may_write(tmp_path: Path) -> None:
    (tmp_path / "dagster").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be made"):
        dagster_home(tmp_path)
