"""Pods as Kubernetes wants them said: pure functions of what an environment declares.

Every pod runs as an ordinary user who gains no privileges, on a root that is read-only, with limits
that equal requests. Only the pod of a run talks to the API server; all others get no token.
Each configuration names every field that another one names, so that one replaces the other whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wan_pipelines.cluster.records import Cluster, GpuPods, Pods, Toleration, WeightCache
from wan_pipelines.from_environment import resolve

Json = dict[str, Any]

STATE = "/var/lib/wan"
GPU_CLASS_LABEL = "wan/gpu-class"
CAPACITY_LABEL = "wan/capacity"
KEEP = "cluster-autoscaler.kubernetes.io/safe-to-evict"
RUN_GRACE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class PodConfig:
    """A Job of one pod: its container, the rest of its spec, its metadata, and the Job's own spec.

    Names are those of Kubernetes' Python client.
    """

    container: Json
    pod: Json
    metadata: Json
    job: Json


@dataclass(frozen=True, slots=True)
class Place:
    """What an environment's processes need to find: its name, and where weights are kept."""

    environment: str
    cache: str


def run_pod(cluster: Cluster, place: Place) -> PodConfig:
    """The pod that looks after a run: the only one that may call the API server. Its image is the
    launcher's choice.
    """
    pod = _pod(cluster, cluster.runs, place, None)
    spec = {
        **pod.pod,
        "service_account_name": cluster.service_account,
        "automount_service_account_token": True,
    }
    return replace(pod, pod=spec)


def step_pod(cluster: Cluster, place: Place) -> PodConfig:
    """The pod of a step that needs no GPU."""
    return _pod(cluster, cluster.steps, place, resolve(cluster.image))


def node_pod(cluster: Cluster, gpu: GpuPods, place: Place, release: str | None = None) -> PodConfig:
    """A pod on a node of a GPU class that leaves the GPU alone: it looks after the node's weights.

    With `release`, its weights are in the node's cache before anything else starts.
    """
    image = resolve(cluster.gpu_image)
    needs = gpu.model_copy(
        update={"cpu": cluster.steps.cpu, "memory_gib": cluster.steps.memory_gib}
    )
    pod = _pod(cluster, needs, place, image)
    mount = {"name": "weights", "mount_path": place.cache}
    container = {**pod.container, "volume_mounts": [*pod.container["volume_mounts"], mount]}
    spec = {**pod.pod, "volumes": [*pod.pod["volumes"], _cache_volume(gpu.cache)]}
    if release:
        spec["init_containers"] = [_weights_container(container, image, release)]
    return replace(pod, container=container, pod=spec)


def gpu_pod(
    cluster: Cluster,
    gpu: GpuPods,
    place: Place,
    *,
    gpu_class: str,
    gpu_count: int = 1,
    release: str | None = None,
) -> PodConfig:
    """A pod that holds GPUs; the deadline counts from its start, never while it waits for one."""
    pod = node_pod(cluster, gpu, place, release)
    shm = {"name": "shm", "mount_path": "/dev/shm"}  # noqa: S108 (the pod's own)
    container = {
        **pod.container,
        "resources": _resources(gpu, {gpu.resource: str(gpu_count)}),
        "volume_mounts": [*pod.container["volume_mounts"], shm],
    }
    memory = {"medium": "Memory", "size_limit": gibibytes(gpu.shm_gib)}
    spec = {
        **pod.pod,
        "volumes": [*pod.pod["volumes"], {"name": "shm", "empty_dir": memory}],
        "termination_grace_period_seconds": gpu.grace_seconds,
        "active_deadline_seconds": gpu.deadline_minutes * 60,
    }
    labels = {GPU_CLASS_LABEL: gpu_class, CAPACITY_LABEL: gpu.capacity}
    return PodConfig(container, spec, {**pod.metadata, "labels": labels}, pod.job)


def gibibytes(number: float) -> str:
    """A quantity of Kubernetes: whole mebibytes, so that no fraction is lost."""
    return f"{round(number * 1024)}Mi"


def _pod(cluster: Cluster, needs: Pods, place: Place, image: str | None) -> PodConfig:
    scratch = {"size_limit": gibibytes(needs.scratch_gib)}
    rooms = {"tmp": "/tmp", "state": STATE, "home": cluster.dagster_home}  # noqa: S108
    container = {
        "image": image,
        "image_pull_policy": cluster.pull_policy,
        "env": _variables(place),
        "env_from": _references(cluster),
        "resources": _resources(needs),
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volume_mounts": [{"name": name, "mount_path": path} for name, path in rooms.items()],
    }
    pod = {
        "service_account_name": cluster.step_service_account,
        "automount_service_account_token": False,
        "enable_service_links": False,
        "image_pull_secrets": [{"name": name} for name in cluster.pull_secrets],
        "security_context": _user(cluster.user_id),
        "node_selector": dict(needs.node_selector),
        "tolerations": [_toleration(each) for each in needs.tolerations],
        "priority_class_name": needs.priority_class,
        "restart_policy": "Never",
        "termination_grace_period_seconds": RUN_GRACE_SECONDS,
        "active_deadline_seconds": None,
        "init_containers": [],
        "volumes": [{"name": name, "empty_dir": scratch} for name in rooms],
    }
    job = {"backoff_limit": 0, "ttl_seconds_after_finished": cluster.ttl_seconds}
    return PodConfig(container, pod, {"annotations": {KEEP: "false"}, "labels": {}}, job)


def _weights_container(main: Mapping[str, Any], image: str, release: str) -> Json:
    """What runs first: the command fetches what is missing, and compares the rest."""
    shared = ("image_pull_policy", "env", "env_from", "resources", "security_context")
    return {
        "name": "weights",
        "image": image,
        "command": ["wan", "weights", "fetch", release, "--json"],
        **{name: main[name] for name in shared},
        "volume_mounts": list(main["volume_mounts"]),
    }


def _variables(place: Place) -> list[Json]:
    values = {"WAN_PIPELINES_ENV": place.environment, "WAN_PIPELINES_STATE": STATE, "HOME": STATE}
    return [{"name": name, "value": value} for name, value in values.items()]


def _references(cluster: Cluster) -> list[Json]:
    """Values that only the cluster knows; none of them stands in a manifest."""
    maps = [{"config_map_ref": {"name": name}} for name in cluster.config_maps]
    return [*maps, *({"secret_ref": {"name": name}} for name in cluster.secrets)]


def _resources(needs: Pods, more: Mapping[str, str] | None = None) -> Json:
    amounts = {
        "cpu": needs.cpu,
        "memory": gibibytes(needs.memory_gib),
        "ephemeral-storage": gibibytes(needs.scratch_gib),
        **(more or {}),
    }
    return {"requests": dict(amounts), "limits": dict(amounts)}


def _user(user_id: int) -> Json:
    return {
        "run_as_non_root": True,
        "run_as_user": user_id,
        "run_as_group": user_id,
        "fs_group": user_id,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }


def _toleration(wanted: Toleration) -> Json:
    value = {"operator": "Exists"} if wanted.value is None else {"value": wanted.value}
    effect = {"effect": wanted.effect} if wanted.effect else {}
    return {"key": wanted.key, **value, **effect}


def _cache_volume(cache: WeightCache) -> Json:
    if cache.claim:
        return {"name": "weights", "persistent_volume_claim": {"claim_name": cache.claim}}
    return {
        "name": "weights",
        "host_path": {"path": cache.host_path, "type": "Directory"},
    }


def without_nothing(fields: Mapping[str, Any] | Sequence[Any]) -> Any:
    """The same without fields that are None: for readers who take null for a value."""
    if isinstance(fields, Mapping):
        return {k: without_nothing(v) for k, v in fields.items() if v is not None}
    if isinstance(fields, list):
        return [without_nothing(each) for each in fields]
    return fields
