"""The whole way, in processes of their own: `wan` starts Dagster, which starts workers."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.project import Project, project
from tests.support.tiny_pipeline import tiny_folder
from wan_pipelines.ledger.reports import edition_totals, run_costs, videos
from wan_pipelines.studio.editions import edition_key

__all__ = ["project", "tiny_folder"]

PATIENCE_SECONDS = 120


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
    assert "2 videos in 0 s" in again.stdout


def test_ctrl_c_stops_workers_in_good_order_and_says_how_to_go_on(project: Project):
    slow = {"draft": {"steps": 1000, "guidance": 1.0}}
    project.release(tiers=slow)
    studio = project.studio()
    edition = edition_key(studio, "balls", "one")
    process = subprocess.Popen(
        [Path(sys.executable).with_name("wan"), "run", "balls", "--edition", "one"],
        env={**os.environ, **project.variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not any(run.takes for run in run_costs(studio.ledger, "demo")):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    first, *_, last = err.strip().splitlines()
    assert first.startswith("Stopping: waiting for ")
    assert last == (
        "Error: Stopped. What was accepted is kept: run the same command again to go on."
    )
    totals = edition_totals(studio.ledger, edition)
    assert (totals.accepted, totals.failed, totals.waiting) == (0, 0, 2)
    (run,) = run_costs(studio.ledger, "demo", edition=edition)
    assert run.open_workers == 0
    assert run.paid_micro_usd == run.charged_micro_usd
