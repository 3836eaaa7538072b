"""`wan simulate`: a plan of a cluster needs no deployment."""

import json
from pathlib import Path

from typer.testing import CliRunner

from wan_pipelines.cli.app import app

SMALL = ("--shots", "200", "--campaigns", "10", "--gpus", "3", "--spot", "1")


def test_policies_are_compared_in_a_table():
    told = CliRunner().invoke(app, ["simulate", *SMALL])
    assert told.exit_code == 0
    policies = [line.split()[0] for line in told.stdout.splitlines()[1:]]
    assert policies == ["fifo", "priority", "fair-at-once", "fair"]
    assert "200 shots on 4 GPUs" in told.stderr


def test_json_says_what_was_simulated_and_how_it_went(tmp_path: Path):
    scenario = tmp_path / "cluster.yaml"
    scenario.write_text("seed: 7\ntenants: {ann: {}, bob: {priority_class: vip}}\n")
    asked = ["simulate", str(scenario), *SMALL, "--policy", "fair", "--json"]
    told = json.loads(CliRunner().invoke(app, asked).stdout)
    assert told["scenario"]["seed"] == 7
    assert told["scenario"]["pools"]["h100"]["gpus"] == 3
    (fair,) = told["policies"]
    assert fair["policy"] == "fair"
    assert fair["cost_usd"] > 0
    assert fair["worst_wait_minutes_vip"] >= 0


def test_a_scenario_that_cannot_be_is_refused(tmp_path: Path):
    scenario = tmp_path / "cluster.yaml"
    scenario.write_text("shots: none\n")
    told = CliRunner().invoke(app, ["simulate", str(scenario)])
    assert told.exit_code == 1
    assert "cluster.yaml:1" in told.stderr
    scenario.write_text('pools: {a100: {gpus: 16, usd_per_hour: "1.50"}}\n')
    told = CliRunner().invoke(app, ["simulate", str(scenario), "--spot", "3"])
    assert "--spot: the scenario has no spot pool." in told.stderr
