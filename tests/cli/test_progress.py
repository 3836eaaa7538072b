"""What a run says while it runs: here, when it is told to stop."""

import os
import pty
import signal
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.support.project import Project
from wan_pipelines.cli.progress import progress
from wan_pipelines.ledger.workers import WorkerPlace, open_worker
from wan_pipelines.streams import STDERR
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.planning import admit

PLACE = WorkerPlace("run", "step", "laptop-cpu")
PATIENCE_SECONDS = 10


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def number(request: pytest.FixtureRequest) -> Iterator[int]:
    """A signal that somebody handles and says nothing, as Dagster does."""
    before = signal.signal(request.param, lambda *_: None)
    yield request.param
    signal.signal(request.param, before)


@pytest.mark.parametrize(
    ("workers", "words"),
    [
        (0, "Stopping: waiting for the step under way."),
        (1, "waiting for a worker, which ends the step it is at, or the loading of its engine"),
        (2, "waiting for 2 workers, each of which ends the step it is at"),
        (1, "gives its shots back. The steps that are done are kept: the next run goes on there."),
    ],
)
def test_it_is_said_at_once_what_a_stopped_run_waits_for(
    quick_project: Project,
    capfd: pytest.CaptureFixture[str],
    number: int,
    workers: int,
    words: str,
):
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    edition = edition_key(studio, "balls", "one")
    for _ in range(workers):
        open_worker(studio.ledger, edition, PLACE, now=datetime.now(UTC))
    said, deadline = "", time.monotonic() + PATIENCE_SECONDS
    with progress(studio, edition):
        os.kill(os.getpid(), number)
        while words not in said:
            assert time.monotonic() < deadline, said
            time.sleep(0.01)
            said += capfd.readouterr().err
    assert said.count("Stopping") == 1


def test_a_run_that_has_admitted_nothing_yet_says_it_too(
    quick_project: Project, capfd: pytest.CaptureFixture[str], number: int
):
    studio = quick_project.studio()
    with progress(studio, edition_key(studio, "balls", "one")):
        os.kill(os.getpid(), number)
        time.sleep(0.2)
    assert "Stopping: waiting for the step under way." in capfd.readouterr().err


def test_on_a_terminal_the_streams_of_the_run_stay_its_own(quick_project: Project):
    """Else what Dagster logs goes through the bar onto the screen, and not into the log."""
    studio = quick_project.studio()
    ours, screen = pty.openpty()
    kept, streams = os.dup(STDERR), (sys.stdout, sys.stderr)
    os.dup2(screen, STDERR)
    try:
        with progress(studio, edition_key(studio, "balls", "one")):
            time.sleep(0.2)
            assert (sys.stdout, sys.stderr) == streams
    finally:
        os.dup2(kept, STDERR)
        for descriptor in (kept, screen):
            os.close(descriptor)
    assert b"starting" in os.read(ours, 4096)
    os.close(ours)


def test_nothing_is_said_and_no_signal_is_heard_afterwards(
    quick_project: Project, capfd: pytest.CaptureFixture[str]
):
    studio = quick_project.studio()
    with progress(studio, edition_key(studio, "balls", "one")):
        pass
    assert signal.set_wakeup_fd(-1) == -1
    assert capfd.readouterr().err == ""
