"""`wan engines bench` with a model that really renders, in processes of their own."""

import json

import pytest

from tests.cli.invoking import Wan, invoker
from tests.support.project import Project, project
from tests.support.tiny_pipeline import tiny_folder

__all__ = ["project", "tiny_folder"]


@pytest.mark.timeout(600)  # two processes that load a model, however busy the machine
def test_engines_are_measured_here_and_on_a_server_that_is_started(project: Project) -> None:
    engines = ("--engine", "eager", "--engine", "remote")
    arguments = (*engines, "--scenario", "short", "--tier", "draft", "--videos", "1", "--json")
    said = invoker(project)("engines", "bench", "sample", *arguments)
    assert said.exit_code == 0, said.stderr
    found = json.loads(said.stdout)
    rows = {row["engine"]: row for row in found["rows"]}
    assert set(rows) == {"eager", "remote"}
    for row in rows.values():
        assert (row["missing"], row["videos"], row["tier"]) == ("", 1, "draft")
        assert 0 < row["latency_p50_seconds"] <= row["latency_p95_seconds"]
        assert row["peak_memory_bytes"] > 50e6
        assert row["cost_micro_usd"] >= 0
    assert found["choices"][0]["engine"] in rows
    assert "eager, draft: short: " in said.stderr
    folder = project.state / "benchmarks"
    assert json.loads((folder / "engines-sample.json").read_text()) == found
    assert "<h1>Engines of" in (folder / "engines-sample.html").read_text()


def test_a_tier_that_is_not_there_is_said_in_a_sentence(wan: Wan) -> None:
    said = wan("engine", "bench", "sample", "--tier", "drft")
    assert (said.exit_code, said.stdout) == (1, "")
    assert "Did you mean 'draft'?" in said.stderr
