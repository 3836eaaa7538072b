from typing import Any

import pytest
import yaml

from tests.cluster.manifests import is_hardened, pod_of, problem
from tests.support.control_plane import Json
from tests.support.project import Project
from wan_pipelines.cluster.pods import STATE
from wan_pipelines.components.cluster_instance import cluster_config
from wan_pipelines.components.kubernetes_config import per_step_config, run_config, step_config
from wan_pipelines.components.tags import GPU_CLASS, NODE_CLASS, RELEASE
from wan_pipelines.errors import InputError
from wan_pipelines.places import project_root
from wan_pipelines.studio.settings import Settings, read_settings

CUDA = {"price_usd_per_hour": "2.69"}
ON_GPU = {GPU_CLASS: "h100-spot", RELEASE: "wan2.2-t2v-a14b"}
BESIDE = {NODE_CLASS: "h100", RELEASE: "wan2.2-t2v-a14b"}


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("WAN_IMAGE", "registry.example.com/wan:1")
    monkeypatch.setenv("WAN_GPU_IMAGE", "registry.example.com/wan-gpu:1")
    return read_settings(project_root(), "production")


def job(*configurations: Json) -> Json:
    """The Job that dagster-k8s makes of these configurations, each merged into those before."""
    import kubernetes.client
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import (
        DagsterK8sJobConfig,
        UserDefinedDagsterK8sConfig,
        construct_dagster_k8s_job,
    )

    context = K8sContainerContext()
    for each in configurations:
        found = UserDefinedDagsterK8sConfig.from_dict(each)
        context = context.merge(K8sContainerContext(run_k8s_config=found))
    made = construct_dagster_k8s_job(
        DagsterK8sJobConfig(job_image="registry.example.com/wan:1", dagster_home="/opt/dagster"),
        ["dagster", "api", "execute_step"],
        "dagster-step-1",
        context.run_k8s_config,
    )
    said: Any = kubernetes.client.ApiClient().sanitize_for_serialization(made)
    return said


def gpu_job(settings: Settings, tags: dict[str, str]) -> Json:
    assert settings.kubernetes
    own = per_step_config(settings, settings.kubernetes, {"render": tags})["render"]
    run, step = (make(settings, settings.kubernetes) for make in (run_config, step_config))
    return job(run, step, own)


@pytest.mark.parametrize("tags", [ON_GPU, BESIDE, {GPU_CLASS: "l40s"}])
def test_a_current_kubernetes_takes_every_field_of_a_step_on_a_gpu_node(
    production: Settings, tags: dict[str, str]
):
    made = gpu_job(production, tags)
    assert problem(made) == ""
    assert is_hardened(pod_of(made))
    assert pod_of(made)["automountServiceAccountToken"] is False


def test_a_render_has_its_gpu_its_nodes_its_memory_and_its_time(production: Settings):
    made = gpu_job(production, ON_GPU)
    pod = pod_of(made)
    (container,) = pod["containers"]
    assert container["image"] == "registry.example.com/wan-gpu:1"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert container["resources"]["limits"] == container["resources"]["requests"]
    assert pod["nodeSelector"] == {"wan/pool": "h100-spot"}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    assert pod["priorityClassName"] == "wan-spot"
    assert pod["terminationGracePeriodSeconds"] == 25
    assert pod["activeDeadlineSeconds"] == 240 * 60
    assert "activeDeadlineSeconds" not in made["spec"]  # which would count the waiting for a GPU
    assert made["spec"]["backoffLimit"] == 0
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["shm"]["emptyDir"] == {"medium": "Memory", "sizeLimit": "16384Mi"}
    assert volumes["weights"]["hostPath"]["path"] == "/var/cache/wan"
    assert len(volumes) == len(pod["volumes"])


def test_weights_are_fetched_before_a_render_begins(production: Settings):
    (first,) = pod_of(gpu_job(production, ON_GPU))["initContainers"]
    assert first["command"] == ["wan", "weights", "fetch", "wan2.2-t2v-a14b", "--json"]
    assert "/var/cache/wan" in {mount["mountPath"] for mount in first["volumeMounts"]}
    assert not pod_of(gpu_job(production, {GPU_CLASS: "h100"})).get("initContainers")


def test_a_step_beside_the_gpu_holds_none(production: Settings):
    (container,) = pod_of(gpu_job(production, BESIDE))["containers"]
    assert "nvidia.com/gpu" not in container["resources"]["limits"]


def test_a_step_without_a_gpu_is_small_and_sees_secrets_by_reference_only(production: Settings):
    assert production.kubernetes
    run, step = (make(production, production.kubernetes) for make in (run_config, step_config))
    made = job(run, step)
    assert problem(made) == ""
    pod = pod_of(made)
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["cpu"] == "1"
    assert {"secretRef": {"name": "wan-secrets"}} in container["envFrom"]
    assert {"name": "WAN_PIPELINES_STATE", "value": STATE} in container["env"]
    assert "nodeSelector" not in pod or not pod["nodeSelector"]


def test_the_pod_of_a_run_alone_has_a_token(production: Settings):
    assert production.kubernetes
    made = job(run_config(production, production.kubernetes))
    assert problem(made) == ""
    assert pod_of(made)["automountServiceAccountToken"] is True
    assert pod_of(made)["serviceAccountName"] == "wan-runs"


def test_the_instance_of_a_cluster_names_no_image_and_no_secret(
    production: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("WAN_IMAGE")
    assert production.kubernetes
    text = yaml.safe_dump(cluster_config(production, production.kubernetes))
    assert "registry" not in text
    launcher = yaml.safe_load(text)["run_launcher"]["config"]
    assert launcher["job_image"] == {"env": "WAN_IMAGE"}


@pytest.mark.parametrize(
    ("pods", "words"),
    [
        ({"memory_gib": 8, "shm_gib": 8}, "shm_gib is part of memory_gib"),
        ({"cpu": "many"}, "gpu_classes.h100.kubernetes.cpu"),
        ({"cache": {"host_path": "/a", "claim": "b"}}, "name either host_path or claim"),
        ({"cache": {"host_path": "../etc"}}, "write an absolute path"),
        ({"slot": 4}, "Did you mean 'slots'?"),
        ({"capacity": "spott"}, "Did you mean 'spot'?"),
    ],
)
def test_pods_that_cannot_be_are_told_with_field_and_remedy(
    quick_project: Project, pods: Json, words: str
):
    said = told(quick_project, gpu_classes={"h100": {**CUDA, "kubernetes": pods}})
    assert "resources/local/defs.yaml:" in said
    assert words in said


def test_a_cluster_needs_pods_for_every_class_and_a_cache_of_its_nodes(quick_project: Project):
    assert "gpu_classes.h100 needs `kubernetes`" in told(
        quick_project, gpu_classes={"h100": CUDA}, kubernetes={}
    )
    classes = {"h100": {**CUDA, "kubernetes": {}}}
    assert "cache 'cache' is where pods" in told(quick_project, gpu_classes=classes, kubernetes={})


def test_a_campaign_names_a_class_of_its_environment(quick_project: Project):
    from wan_pipelines.definitions import load

    quick_project.campaign(gpu_class="h10")
    with pytest.raises(
        InputError, match=r"gpu_class` is 'h10', which environment 'local' does not"
    ):
        load()


def told(project: Project, **changes: Any) -> str:
    """What is said of an environment with these changes."""
    project.environment(gpu_class="h100", **changes)
    with pytest.raises(InputError) as caught:
        read_settings(project.root, "local")
    return str(caught.value)
