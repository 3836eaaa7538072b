"""Campaigns from their briefs to their costs, in pods of a real control plane."""

from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import select, update

from tests.cluster.manifests import is_hardened, pod_of, problem
from tests.cluster.scene import JOBS, Scene
from tests.support.cluster_deployment import CLASSES, CLUSTER, environment, pods
from tests.support.control_plane import NAMESPACE, Json
from tests.survival import rules
from wan_pipelines.definitions import load
from wan_pipelines.ledger.tables import TakeRow, TurnRow, WorkerRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.editions import edition_key

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("cluster")]

QUOTAS = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"
FAR = {"finish_by": {"hours": 24}}
FORBIDDEN = (
    ("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets/wan-secrets"),
    ("GET", f"/api/v1/namespaces/{NAMESPACE}/configmaps"),
    ("POST", f"/api/v1/namespaces/{NAMESPACE}/pods"),
    ("GET", "/api/v1/namespaces/default/pods"),
    ("GET", "/api/v1/nodes"),
    ("GET", f"{JOBS}/any"),
    ("PUT", f"{JOBS}/any"),
    ("GET", f"/api/v1/namespaces/{NAMESPACE}/pods/any"),
    ("DELETE", QUOTAS),
    ("POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings"),
)


def test_a_campaign_runs_in_pods_from_its_brief_to_its_costs(scene: Scene):
    run = scene.launch()
    scene.until_success(run)
    rules.check(scene.studio, edition_key(scene.studio, "balls", "one"))

    jobs = scene.jobs(run)
    assert len(jobs) == len(scene.kubelet.labelled(**{"run-id": run})) >= 9
    assert not [found for found in map(problem, jobs) if found]
    for job in jobs:
        pod = pod_of(job)
        assert is_hardened(pod)
        looks_after_run = job["metadata"]["labels"]["app.kubernetes.io/component"] == "run_worker"
        assert pod["automountServiceAccountToken"] is looks_after_run
        assert job["spec"]["backoffLimit"] == 0
        assert "postgresql" not in str(job)  # secrets are references


def test_more_shards_than_gpus_wait_and_what_can_wait_takes_spot_capacity(scene: Scene):
    """Both campaigns are the h100's; the shards of one have their turn in the l40s' pods.

    There is one GPU of them, so that one shard waits for a node until its campaign is due.
    """
    scene.project.campaign("fast", prompts=["a red ball rising", "a blue box", "a cone"])
    scene.project.campaign("cheap", can_wait=True, prompts=["a red ball", "a green cone"], **FAR)
    scene.pace(0.3)
    scene.admit("fast")
    scene.admit("cheap")
    fast = scene.launch("fast", assets=["takes"])
    cheap = scene.launch("cheap", assets=["takes"])
    waits = scene.until(lambda: scene.said(fast, "no node is free"), fast)
    assert "Insufficient nvidia.com/gpu" in waits
    scene.until(lambda: scene.said(cheap, "no node is free"), cheap)
    with scene.studio.ledger.write(House("operator")) as session:
        session.execute(update(TurnRow).values(due_at=TurnRow.asked_at))
    scene.until_success(fast)
    scene.until_success(cheap)
    assert "it waits for spot capacity: it moves on" in scene.story(cheap)
    for run, classes in ((fast, {"h100"}), (cheap, {"h100", "l40s"})):
        for name in classes:
            used = scene.kubelet.labelled(**{"run-id": run, "gpu-class": name})
            assert {pod.node.partition("-")[0] for pod in used} == {name}
        assert not scene.kubelet.labelled(**{"run-id": fast, "gpu-class": "l40s"})
    scene.check("fast")
    scene.check("cheap")
    assert paid_for(scene) == {(fast, "h100"), (cheap, "l40s"), (cheap, "h100")}


def test_what_a_quota_forbids_is_told_and_a_cancelled_run_leaves_nothing_behind(scene: Scene):
    scene.project.release(tiers={"draft": {"steps": 200, "guidance": 1.0}})
    scene.admit()
    scene.pace(1)
    quota = {"metadata": {"name": "gpus"}, "spec": {"hard": {"requests.nvidia.com/gpu": "1"}}}
    scene.api.create(QUOTAS, quota)
    scene.until(lambda: scene.api.items(QUOTAS)[0]["status"].get("hard"))
    run = scene.launch(assets=["takes"])
    told = scene.until(lambda: scene.said(run, "the cluster makes no pod"), run)
    assert "exceeded quota: gpus" in told
    (rendering,) = scene.until(lambda: scene.at_work(run), run)
    assert scene.slots("gpu-h100") == 2

    scene.cancel(run)
    assert scene.until_ended(run) == dg.DagsterRunStatus.CANCELED
    scene.until(lambda: not scene.active_jobs(run))
    scene.until(lambda: not rendering.is_running)
    scene.instance.event_log_storage.free_concurrency_slots_for_run(run)  # as the daemon does
    assert scene.slots("gpu-h100") == 0
    assert not running_takes(scene)
    scene.api.delete(f"{QUOTAS}/gpus")


def test_a_step_that_waits_for_too_long_fails_and_its_job_goes(scene: Scene, tmp_path: Path):
    nowhere = {**CLASSES["h100"], "kubernetes": pods(node_selector={"gpu": "none"}, retries=1)}
    classes, cluster = {"h100": nowhere}, {**CLUSTER, "wait_hours": 0.0005}
    scene.project.environment(**environment(tmp_path, gpu_classes=classes, kubernetes=cluster))
    scene.project.campaign(prompts=["a red ball"])
    scene.admit()
    run = scene.launch(assets=["takes"])
    assert scene.until_ended(run) == dg.DagsterRunStatus.FAILURE
    assert "has waited for 0.0005 hours and was removed: no node is free" in scene.story(run)
    scene.until(lambda: not [job for job in scene.active_jobs(run) if is_step(job)])


def is_step(job: Json) -> bool:
    return job["metadata"]["labels"]["app.kubernetes.io/component"] == "step_worker"


def test_what_a_run_that_was_marked_as_failed_left_behind_is_removed(scene: Scene):
    scene.admit()
    run = scene.launch(assets=["takes"], launched=False)
    scene.api.create(JOBS, waiting_job(run))
    record = scene.instance.get_run_by_id(run)
    assert record
    scene.instance.report_run_failed(record, "It took too long to start.")
    (sensor,) = [each for each in load().sensors or () if each.name == "pods_of_failed_runs"]
    assert isinstance(sensor, dg.RunStatusSensorDefinition)
    event = dg.DagsterEvent("PIPELINE_FAILURE", job_name=record.job_name)
    sensor(
        dg.build_run_status_sensor_context(
            sensor.name, event, scene.instance, scene.instance.get_run_by_id(run) or record
        )
    )
    scene.until(lambda: not scene.jobs(run))


def waiting_job(run: str) -> Json:
    """A Job of a run whose pod no node takes."""
    container = {"name": "dagster", "image": "wan", "command": ["true"]}
    pod = {"containers": [container], "restartPolicy": "Never", "nodeSelector": {"no": "node"}}
    labels = {"dagster/run-id": run}
    return {
        "metadata": {"name": f"waits-{run[:8]}", "labels": labels},
        "spec": {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }


def test_the_role_of_runs_allows_what_they_do_and_nothing_else(scene: Scene):
    """That it is enough is what all other tests say: their runs have it."""
    runs, steps = scene.plane.api("wan-runs"), scene.plane.api("wan-steps")
    for method, path in FORBIDDEN:
        assert runs.raw(method, path, {}).status == 403, (method, path)
    assert steps.raw("GET", JOBS).status == 403
    assert runs.raw("GET", JOBS).status == 200
    runs.close()
    steps.close()


def paid_for(scene: Scene) -> set[tuple[str, str]]:
    """Which runs had workers on which GPU classes, as the ledger knows it."""
    with scene.studio.ledger.read(House("audit")) as session:
        return {
            tuple(row) for row in session.execute(select(WorkerRow.run_id, WorkerRow.gpu_class))
        }


def running_takes(scene: Scene) -> int:
    with scene.studio.ledger.read(House("audit")) as session:
        return len(session.execute(select(TakeRow).where(TakeRow.outcome == "running")).all())
