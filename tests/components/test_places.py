"""Where the steps of production would run, as its definitions say."""

import dagster as dg
import pytest

from tests.support.project import Project
from wan_pipelines.components.tags import GPU_CLASS, NODE_CLASS, RELEASE
from wan_pipelines.definitions import load
from wan_pipelines.places import ENVIRONMENT_VARIABLE

GPU = {"price_usd_per_hour": "2.69"}
CLASSES = {
    "h100": {**GPU, "kubernetes": {"retries": 3}},
    "l40s": {**GPU, "kubernetes": {"retries": 20, "capacity": "spot"}},
}
CLUSTER = {"gpu_class": "h100", "gpu_classes": CLASSES, "cache": "/cache", "kubernetes": {}}


def ops_of(job: str) -> dict[str, dg.OpDefinition]:
    nodes = load().resolve_job_def(job).all_node_defs
    return {node.name: node for node in nodes if isinstance(node, dg.OpDefinition)}


def test_a_campaign_renders_in_the_pods_and_the_pool_of_its_class(quick_project: Project):
    quick_project.environment(**CLUSTER)
    quick_project.campaign("cheap", gpu_class="l40s")
    own, cheap = ops_of("campaign_balls"), ops_of("campaign_cheap")
    assert own["balls__takes__render"].tags == {GPU_CLASS: "h100"}
    assert own["balls__takes__render"].pool == "gpu-h100"
    render = cheap["cheap__takes__render"]
    assert (render.tags, render.pool) == ({GPU_CLASS: "l40s"}, "gpu-l40s")
    assert render.retry_policy
    assert render.retry_policy.max_retries == 20
    assert GPU_CLASS not in cheap["cheap__shots"].tags


def test_weights_are_looked_after_beside_the_gpu_and_engines_on_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "production")
    nodes = load().resolve_implicit_global_asset_job_def().all_node_defs
    ops = {node.name: node for node in nodes}
    large = {RELEASE: "wan2.2-t2v-a14b"}
    assert ops["weights__wan2_2_t2v_a14b"].tags == {NODE_CLASS: "h100", **large}
    assert ops["engine__wan2_2_t2v_a14b"].tags == {GPU_CLASS: "h100", **large}
    assert ops["engine__wan_tiny"].tags == {GPU_CLASS: "h100"}


def test_no_retry_of_a_pod_waits(quick_project: Project):
    """Dagster resumes no run in which a step has waited between two attempts."""
    quick_project.environment(**CLUSTER)
    policies = [op.retry_policy for op in ops_of("campaign_balls").values() if op.retry_policy]
    assert len(policies) == 8  # all steps: the weights, the engine, and six of the campaign
    assert not [policy for policy in policies if policy.delay]


def test_on_one_machine_all_renders_share_a_pool(quick_project: Project):
    render = ops_of("campaign_balls")["balls__takes__render"]
    assert (render.pool, render.tags) == ("gpu", {})
