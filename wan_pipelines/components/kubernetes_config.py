"""Pods of the cluster, in the words of dagster-k8s."""

from collections.abc import Iterable, Mapping
from typing import Any

from wan_pipelines.cluster.pods import (
    PodConfig,
    gpu_pod,
    node_pod,
    run_pod,
    step_pod,
    without_nothing,
)
from wan_pipelines.cluster.records import Cluster
from wan_pipelines.components import tags
from wan_pipelines.studio.settings import Settings

K8sConfig = dict[str, Any]


def run_config(settings: Settings, cluster: Cluster) -> K8sConfig:
    """`run_k8s_config` of the launcher: the pods of runs."""
    return _in_dagsters_words(run_pod(cluster, settings.place))


def step_config(settings: Settings, cluster: Cluster) -> K8sConfig:
    """`step_k8s_config` of the executor: the pods of steps that say nothing else."""
    return _replacing(step_pod(cluster, settings.place))


def per_step_config(
    settings: Settings, cluster: Cluster, op_tags: Mapping[str, Mapping[str, str]]
) -> dict[str, K8sConfig]:
    """`per_step_k8s_config` of the executor: the pods of ops whose tags name a GPU class."""
    places = {op: _placed(settings, cluster, found) for op, found in op_tags.items()}
    return {op: _replacing(pod) for op, pod in places.items() if pod}


def on_class(
    op_tags: Mapping[str, Mapping[str, str]], gpu_class: str
) -> dict[str, Mapping[str, str]]:
    """The tags of ops, as if what holds GPUs held those of another class."""
    return {
        op: {**found, tags.GPU_CLASS: gpu_class} if tags.GPU_CLASS in found else found
        for op, found in op_tags.items()
    }


def _placed(settings: Settings, cluster: Cluster, found: Mapping[str, str]) -> PodConfig | None:
    name = found.get(tags.GPU_CLASS) or found.get(tags.NODE_CLASS)
    if name is None:
        return None
    chosen = settings.on(name).rendering_class
    assert chosen.kubernetes is not None  # the settings were checked for it
    release = found.get(tags.RELEASE)
    if tags.NODE_CLASS in found:
        return node_pod(cluster, chosen.kubernetes, settings.place, release)
    return gpu_pod(
        cluster,
        chosen.kubernetes,
        settings.place,
        gpu_class=name,
        gpu_count=chosen.gpu_count,
        release=release,
    )


def pool_slots(settings: Settings, pools: Iterable[str]) -> dict[str, int]:
    """How many slots the pools of GPU classes have, of those that are named."""
    slots = {
        gpu_pool_of(name): gpu_class.kubernetes.slots
        for name, gpu_class in settings.gpu_classes.items()
        if gpu_class.kubernetes
    }
    return {pool: slots[pool] for pool in pools if pool in slots}


def gpu_pool_of(gpu_class: str) -> str:
    """The pool whose slots the renders on a GPU class share."""
    return f"gpu-{gpu_class}"


def _replacing(pod: PodConfig) -> K8sConfig:
    """A configuration that takes the place of the run pod's instead of adding to it."""
    return {**_in_dagsters_words(pod), "merge_behavior": "SHALLOW"}


def _in_dagsters_words(pod: PodConfig) -> K8sConfig:
    return {
        "container_config": without_nothing(pod.container),
        "pod_spec_config": without_nothing(pod.pod),
        "pod_template_spec_metadata": pod.metadata,
        "job_spec_config": pod.job,
    }
