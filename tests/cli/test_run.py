"""The whole way, in processes of their own: `wan` starts Dagster, which starts workers."""

import json
from pathlib import Path

from tests.support.project import Project, project
from tests.support.tiny_pipeline import tiny_folder
from wan_pipelines.ledger.reports import run_costs, videos

__all__ = ["project", "tiny_folder"]


def test_a_campaign_is_rendered_and_then_there_is_nothing_to_do(project: Project):
    first = project.wan("run", "balls", "--edition", "one", "--json")
    assert first.returncode == 0, first.stderr
    said = json.loads(first.stdout)
    assert (said["accepted"], said["failed"], said["missing"]) == (2, 0, [])
    page = Path(said["page"].removeprefix("file://"))
    assert "a red ball rising" in page.read_text()
    assert "Traceback" not in first.stderr
    studio = project.studio()
    (run,) = run_costs(studio.ledger, "demo")
    assert run.run_id == said["run_id"]
    assert run.paid_micro_usd == run.charged_micro_usd == said["cost_micro_usd"]
    assert {video.run_id for video in videos(studio.ledger, "demo")} == {run.run_id}

    again = project.wan("run", "balls", "--edition", "one")
    assert again.returncode == 0
    assert "Nothing has changed" in again.stderr
    assert "rendered 0, kept 2, reused 0, failed 0" in again.stdout
