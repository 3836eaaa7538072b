"""Where a deployment lies, as the process environment says."""

from pathlib import Path

import pytest

from wan_pipelines import places


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (places.ROOT_VARIABLE, places.STATE_VARIABLE, places.ENVIRONMENT_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def test_a_checkout_needs_no_variables() -> None:
    root = places.project_root()
    assert (root / "assets" / "campaigns" / "demo" / "defs.yaml").is_file()
    assert places.state_folder() == root / ".wan"
    assert places.environment_name() == "local"


def test_root_state_and_environment_can_be_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(places.ROOT_VARIABLE, str(tmp_path / "root"))
    monkeypatch.setenv(places.ENVIRONMENT_VARIABLE, "staging")
    assert places.project_root() == tmp_path / "root"
    assert places.state_folder() == tmp_path / "root" / ".wan"
    assert places.environment_name() == "staging"
    monkeypatch.setenv(places.STATE_VARIABLE, str(tmp_path / "state"))
    assert places.state_folder() == tmp_path / "state"


def test_relative_paths_are_those_of_where_the_command_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(places.STATE_VARIABLE, "state")
    assert places.state_folder() == tmp_path / "state"
