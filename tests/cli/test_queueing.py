import json

import dagster as dg
import pytest

from tests.cli.invoking import Wan
from tests.support.project import Project
from wan_pipelines.components.instance import open_instance


def test_a_campaign_is_left_to_the_daemon(
    wan: Wan, quick_project: Project, monkeypatch: pytest.MonkeyPatch
):
    """Its partition is there, so that no step fails for want of it, and nothing has begun."""
    monkeypatch.setenv("DAGSTER_HOME", "")  # and so given back in the end
    workspace = quick_project.root / "workspace.yaml"
    module = {"module_name": "wan_pipelines.definitions", "location_name": "wan_pipelines"}
    workspace.write_text(json.dumps({"load_from": [{"python_module": module}]}))
    with open_instance(quick_project.state) as instance:
        (shot, *_) = (each.name for each in quick_project.studio().shots("balls"))
        said = wan("launch", "balls", "--edition", "one", "--only", shot, "--json")
        assert said.exit_code == 0, said.stderr
        (run,) = instance.get_runs()
        assert run.run_id == json.loads(said.stdout)["run_id"]
        assert (run.status, run.job_name) == (dg.DagsterRunStatus.QUEUED, "campaign_balls")
        assert run.tags["dagster/partition"] == "one"
        assert shot in json.dumps(run.run_config)
        assert instance.get_dynamic_partitions("balls_editions") == ["one"]


def test_without_a_dagster_it_is_said_what_does_without(wan: Wan):
    said = wan("launch", "balls", DAGSTER_HOME="")
    assert (said.exit_code, "or render here with `wan run`" in said.stderr) == (1, True)
