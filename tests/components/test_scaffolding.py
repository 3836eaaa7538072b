"""New YAML by `dg scaffold defs`, and what else `dg` does with the project."""

import json
import subprocess
import sys
from pathlib import Path
from shutil import copy
from typing import TypeVar

import dagster as dg
import pytest
from pydantic import BaseModel

from tests.components.launching import jobs_of
from tests.support.project import Project
from wan_pipelines.components import Campaign, Environment, ModelRelease
from wan_pipelines.components.scaffolding import (
    CampaignParams,
    CampaignScaffolder,
    EnvironmentParams,
    EnvironmentScaffolder,
    ReleaseParams,
    ReleaseScaffolder,
)
from wan_pipelines.definitions import load
from wan_pipelines.errors import InputError

ROOT = Path(__file__).parents[2]
Params = TypeVar("Params", bound=BaseModel)
DG = Path(sys.executable).with_name("dg")


def ask(folder: Path, params: Params, *, append: bool = False) -> dg.ScaffoldRequest[Params]:
    folder.mkdir(parents=True, exist_ok=True)
    return dg.ScaffoldRequest[Params]("type", folder, "yaml", None, params, append)


def dg_command(project: Project, *arguments: str) -> str:
    """What a `dg` command prints in the project."""
    copy(ROOT / "pyproject.toml", project.root)
    done = subprocess.run(
        [DG, *arguments], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_scaffolded_brief_loads_and_is_commented(project: Project) -> None:
    path = "campaigns/autumn-catalogue"
    component = "wan_pipelines.components.Campaign"
    dg_command(project, "scaffold", "defs", component, path, "--release", "sample")
    text = (project.root / "assets" / path / "defs.yaml").read_text()
    assert "title: Autumn catalogue" in text
    assert text.count("#") > 10
    assert "campaign_autumn_catalogue" in jobs_of(load())
    assert len(project.studio().shots("autumn-catalogue")) == 2


def test_a_scaffolded_release_loads(project: Project) -> None:
    request = ask(project.root / "assets" / "models" / "my-model", ReleaseParams())
    ReleaseScaffolder().scaffold(request)
    assert dg.AssetKey(["weights", "my-model"]) in load().resolve_asset_graph().get_all_asset_keys()


def test_a_scaffolded_environment_loads(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ask(project.root / "resources" / "staging", EnvironmentParams(tenant="acme"))
    EnvironmentScaffolder().scaffold(request)
    monkeypatch.setenv("WAN_PIPELINES_ENV", "staging")
    assert "campaign_balls" in jobs_of(load())


@pytest.mark.parametrize("place", ["campaigns/Autumn", "elsewhere/autumn", "autumn"])
def test_a_place_that_nobody_would_find_is_refused(project: Project, place: str) -> None:
    request = ask(project.root / "assets" / place, CampaignParams())
    with pytest.raises(InputError, match="is no place for a Campaign"):
        CampaignScaffolder().scaffold(request)


def test_a_brief_is_not_appended_to_another(project: Project) -> None:
    request = ask(project.root / "assets" / "campaigns" / "autumn", CampaignParams(), append=True)
    with pytest.raises(InputError, match="a YAML file of its own"):
        CampaignScaffolder().scaffold(request)


def test_dg_checks_and_lists_what_the_project_has(project: Project) -> None:
    dg_command(project, "check", "defs")
    listed = json.loads(dg_command(project, "list", "defs", "--json"))
    assert "balls/videos" in {asset["asset_key"] for asset in listed["assets"]}


def test_dg_names_the_line_of_what_is_wrong(project: Project) -> None:
    copy(ROOT / "pyproject.toml", project.root)
    project.campaign(sedes=[1])
    command = [DG, "check", "defs"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "campaigns/balls/defs.yaml:13" in done.stdout + done.stderr
    assert "sedes" in done.stdout + done.stderr


def test_dg_knows_our_components_and_writes_their_schemas(project: Project) -> None:
    listed = json.loads(dg_command(project, "list", "components", "--json"))
    ours = {Campaign, Environment, ModelRelease}
    assert {f"wan_pipelines.components.{one.__name__}" for one in ours} <= {
        component["key"] for component in listed["items"]
    }
    dg_command(project, "utils", "generate-component-schema")
    (schema,) = (project.root / ".dg").glob("*.json")
    assert "prompts_file" in schema.read_text()
