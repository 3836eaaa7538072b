"""What the steps of a run are forked from."""

import subprocess
import sys

import pytest

from tests.components.launching import jobs_of
from tests.support.project import Project
from wan_pipelines.definitions import defs, kept
from wan_pipelines.step_server import STEPS


def test_steps_have_the_definitions_with_which_their_run_began(project: Project) -> None:
    with kept():
        project.campaign("another")
        assert "campaign_another" not in jobs_of(defs())
    assert "campaign_another" in jobs_of(defs())


def test_a_brief_that_breaks_meanwhile_is_for_the_steps_to_tell(project: Project) -> None:
    """The server passes over ImportError, and over nothing else."""
    project.campaign(seeds=["seven"])
    imported = subprocess.run(
        [sys.executable, "-c", "import wan_pipelines.components.preload"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ImportError: The definitions do not load" in imported.stderr
    assert "`attributes.seeds[0]` is 'seven'" in imported.stderr


@pytest.mark.parametrize("name", [name for name in STEPS if name.startswith("dagster.")])
def test_what_dagster_imports_in_every_step_is_still_there(name: str) -> None:
    """A name that is gone would only cost time: nobody would notice."""
    __import__(name)
