"""`wan run` killed and interrupted, with all its processes or without.

`soak.py` does more of it.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.survival import soak
from wan_pipelines.processes import living_in

GO_ON = "Stopped. What was accepted is kept: run the same command again to go on."
SOON_SECONDS = 60
"""What an interrupted run may take on a busy machine; it is two or three seconds otherwise."""


@dataclass(frozen=True, slots=True)
class Runs:
    """A deployment in which runs begin, and the log of what they say."""

    project: Project
    log: Path
    begun: list[subprocess.Popen[bytes]]

    def begin(self) -> subprocess.Popen[bytes]:
        process = soak.begin(self.project, self.log)
        self.begun.append(process)
        return process

    def begin_and_wait_for_a_take(self) -> subprocess.Popen[bytes]:
        """A run in the middle of rendering: it has had a take accepted, more are to come."""
        before, process = soak.accepted_in(self.project), self.begin()
        soak.wait_until(
            lambda: process.poll() is not None or soak.accepted_in(self.project) > before
        )
        assert process.poll() is None, self.log.read_text()
        return process

    def one_that_renders(self, some: Sequence[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Whichever run has a worker first."""
        while True:
            time.sleep(0.05)
            assert all(process.poll() is None for process in some), self.log.read_text()
            workers = soak.workers(self.project)
            for process in some:
                if any(each.pid in workers for each in living_in(process.pid)):
                    return process


pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def runs(tmp_path: Path, tiny_folder: Path) -> Iterator[Runs]:
    project = soak.deployment(tmp_path / "project", tiny_folder)
    slow = {"steps": 8, "guidance": 2.0}
    project.release(tiers={"draft": slow}, default_tier="draft")
    found = Runs(project, tmp_path / "log", [])
    yield found
    for process in found.begun:
        for left in living_in(process.pid):
            left.kill()
        process.wait()


def test_killed_interrupted_killed_alone_and_brought_to_an_end(runs: Runs) -> None:
    killed = runs.begin_and_wait_for_a_take()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    both = [runs.begin(), runs.begin()]
    interrupted = runs.one_that_renders(both)
    os.killpg(interrupted.pid, signal.SIGINT)  # Ctrl-C reaches all of its processes
    assert interrupted.wait(SOON_SECONDS) == 128 + signal.SIGINT
    said = runs.log.read_text()
    assert said.count("Stopping: waiting for ") == said.count(f"Error: {GO_ON}") == 1
    assert "Traceback" not in said
    soak.wait_until(lambda: not living_in(interrupted.pid))

    both.remove(interrupted)
    headless = runs.one_that_renders(both)
    headless.kill()  # its workers go on
    headless.wait()
    assert runs.begin().wait() == 0, runs.log.read_text()
    soak.check(runs.project)
