import json
import socket

import pytest

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.studio import deployment_checks


@pytest.fixture(autouse=True)
def _engines_load(monkeypatch: pytest.MonkeyPatch):
    """Loading a real engine is tested with the engines."""
    monkeypatch.setattr(deployment_checks, "load", lambda prepared: NullEngine(prepared.release))


def test_a_fit_machine_is_told_so_line_by_line(wan: Wan):
    said = wan("doctor")
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert lines[0].startswith("✓ python: Python 3.")
    assert "✓ briefs: 1 campaigns with 2 shots" in lines
    assert {line[0] for line in lines} <= {"✓", "!"}


def test_a_problem_is_told_with_its_remedy_and_ends_with_1(wan: Wan, quick_project: Project):
    quick_project.campaign(release="smaple")
    said = wan("doctor")
    assert said.exit_code == 1
    (problem,) = (line for line in said.stdout.splitlines() if line.startswith("✗"))
    assert "Did you mean 'sample'?" in problem


def test_json_has_a_finding_for_each_check(wan: Wan, quick_project: Project):
    quick_project.campaign(release="smaple")
    said = wan("doctor", "--json")
    assert said.exit_code == 1
    found = json.loads(said.stdout)
    assert all(finding.keys() == {"check", "state", "message", "remedy"} for finding in found)
    assert [f["check"] for f in found if f["state"] == "problem"] == ["briefs"]


@pytest.mark.parametrize("taken", ["dagster", "gallery"])
def test_a_port_that_is_taken_is_told_before_anything_is_started(
    wan: Wan, quick_project: Project, taken: str
):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        quick_project.environment(links=f"http://127.0.0.1:{port if taken == 'gallery' else 1}")
        said = wan("dev", "--port", str(port if taken == "dagster" else 2))
    assert (said.exit_code, said.stdout) == (1, "")
    assert f"port {port} is in use" in said.stderr


def test_videos_without_an_address_are_not_served(wan: Wan, quick_project: Project):
    quick_project.environment(links=None)
    said = wan("dev")
    assert said.exit_code == 1
    assert "Set `links` to http://" in said.stderr
