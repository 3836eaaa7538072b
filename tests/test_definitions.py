"""The code location as it is shipped."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster_cloud_cli.config.models import load_dagster_cloud_yaml

from wan_pipelines.definitions import load
from wan_pipelines.places import ENVIRONMENT_VARIABLE

ROOT = Path(__file__).parents[1]
ENVIRONMENTS = sorted(path.parent.name for path in ROOT.glob("resources/*/defs.yaml"))
HEAVY = {"torch", "transformers", "diffusers", "kubernetes", "boto3", "pandas", "pyarrow"}
PROBE = """
import json, sys
from wan_pipelines.definitions import defs
repository = defs().get_repository_def()
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_definitions_of_every_environment_are_loadable(
    environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, environment)
    definitions = load()
    dg.Definitions.validate_loadable(definitions)
    jobs = {job.name for job in definitions.resolve_all_job_defs()}
    assert {"campaign_demo", "campaign_catalogue", "render_prompt"} <= jobs


def test_the_graph_holds_what_the_folders_declare() -> None:
    keys = {key.to_user_string() for key in load().resolve_asset_graph().get_all_asset_keys()}
    assert {"weights/wan2.2-t2v-a14b", "engine/wan-tiny", "demo/takes", "catalogue/costs"} <= keys


def test_loading_imports_nothing_heavy() -> None:
    """How long it takes tells `python -m benchmarks definitions`."""
    probed = subprocess.run(
        [sys.executable, "-c", PROBE], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert not HEAVY & set(json.loads(probed.stdout))


def test_dagster_cloud_finds_the_code_location() -> None:
    text = (ROOT / "dagster_cloud.yaml").read_text()
    (location,) = load_dagster_cloud_yaml(text).locations
    assert location.location_name == "wan_pipelines"
    assert location.code_source
    assert location.code_source.module_name == "wan_pipelines.definitions"


def test_the_workspace_names_the_same_code_location() -> None:
    (entry,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    assert entry["python_module"] == {
        "module_name": "wan_pipelines.definitions",
        "location_name": "wan_pipelines",
    }
