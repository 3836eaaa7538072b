"""A run whose shards fail, executed again from its failure as the UI does."""

import time
from pathlib import Path
from shutil import copytree

import dagster as dg
import pytest

from tests.support.project import Project
from wan_pipelines.components.instance import open_instance
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports import videos

AGAIN = """
import sys
import dagster as dg
from wan_pipelines.components import launch
from wan_pipelines.components.instance import open_instance
from wan_pipelines.places import state_folder

with open_instance(state_folder()) as instance:
    job = dg.build_reconstructable_job(launch.__name__, "job_named", ("campaign_balls",))
    options = dg.ReexecutionOptions.from_failure(sys.argv[1], instance)
    tags = instance.get_run_by_id(sys.argv[1]).tags
    with dg.execute_job(job, instance, reexecution_options=options, tags=tags) as result:
        print(result.run_id)
"""


@pytest.fixture
def sequential(module_project: Project, tmp_path: Path) -> Project:
    """Three shots in a shard each, one after the other, on weights that may be moved away."""
    folder = copytree(module_project.weights, tmp_path / "pipe")
    module_project.release(source={"folder": str(folder)})
    workers = {"count": 1, "threads": 1, "shard_minutes": 0.0001}
    module_project.environment(workers=workers)
    module_project.campaign(seeds=[1, 2, 3], prompts=["a red ball rising"])
    return module_project


def rendered(ledger: Ledger) -> set[str]:
    """The takes that were accepted."""
    return {video.take_id for video in videos(ledger, "demo")}


def shards(instance: dg.DagsterInstance, run_id: str, kind: dg.DagsterEventType) -> set[str]:
    """The render steps of a run to which that happened."""
    records = instance.all_logs(run_id, of_type=kind)
    steps = {record.step_key or "" for record in records}
    return {step for step in steps if step.startswith("balls__takes.balls__takes__render[")}


def test_only_what_failed_is_repeated(sequential: Project) -> None:
    studio = sequential.studio()
    weights = studio.weights("sample").path
    expert = weights / "transformer" / "diffusion_pytorch_model.safetensors"
    run = sequential.start("wan", "run", "balls", "--edition", "one")
    while not rendered(studio.ledger):
        assert run.poll() is None
        time.sleep(0.05)
    kept = expert.rename(weights / "away.safetensors")
    _, said = run.communicate(timeout=170)
    before = rendered(studio.ledger)
    assert run.returncode == 1
    assert "transformer/diffusion_pytorch_model.safetensors" in said
    assert 1 <= len(before) < 3

    with open_instance(sequential.state) as instance:
        (first,) = instance.get_runs()
        assert first.status == dg.DagsterRunStatus.FAILURE
        failed = shards(instance, first.run_id, dg.DagsterEventType.STEP_FAILURE)
        assert len(failed) == 3 - len(before)
        assert not shards(instance, first.run_id, dg.DagsterEventType.STEP_UP_FOR_RETRY)

        kept.rename(expert)
        again = sequential.start("python", "-c", AGAIN, first.run_id)
        out, err = again.communicate(timeout=170)
        assert again.returncode == 0, err
        second = instance.get_run_by_id(out.split()[-1])
        assert second
        assert second.status == dg.DagsterRunStatus.SUCCESS
        assert shards(instance, second.run_id, dg.DagsterEventType.STEP_START) == failed
    assert len(rendered(studio.ledger)) == 3
    assert before < rendered(studio.ledger)
