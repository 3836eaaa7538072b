"""How an environment declares its pods: the cluster's common ground, and each GPU class's own."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from wan_pipelines.from_environment import FromEnvironment, Secret
from wan_pipelines.records import Record

DNS_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
CPU_QUANTITY = r"^([1-9]\d*|\d+\.\d{1,3}|[1-9]\d*m)$"

Name = Annotated[str, StringConstraints(pattern=DNS_NAME, max_length=63)]
Cpu = Annotated[str, StringConstraints(pattern=CPU_QUANTITY)]


def _absolute(path: str) -> str:
    if not path.startswith("/") or ".." in path.split("/"):
        raise ValueError("write an absolute path without `..`, such as /var/cache/wan")
    return path.rstrip("/") or "/"


AbsolutePath = Annotated[str, AfterValidator(_absolute)]


class Toleration(Record):
    """A taint of nodes that pods put up with."""

    key: str = Field(min_length=1, description="The taint's key.", examples=["nvidia.com/gpu"])
    value: str | None = Field(default=None, description="The taint's value; empty: any.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="The taint's effect; empty: all of them."
    )


class Pods(Record):
    """What a pod asks for, and where it may run. Limits equal requests."""

    cpu: Cpu = Field(default="1", description="Processors.", examples=["8", "500m"])
    memory_gib: float = Field(default=2, gt=0, description="Main memory; its pod is killed above.")
    scratch_gib: float = Field(
        default=4, gt=0, description="Disk of the node for temporary files, gone with the pod."
    )
    node_selector: dict[str, str] = Field(
        default={}, description="Labels that a node must have.", examples=[{"pool": "cpu"}]
    )
    tolerations: tuple[Toleration, ...] = Field(default=(), description="Taints to put up with.")
    priority_class: Name | None = Field(
        default=None, description="A PriorityClass of the cluster; empty: its default."
    )


class WeightCache(Record):
    """Where the nodes of a class keep weights for all pods that come to run there."""

    host_path: AbsolutePath | None = Field(
        default=None, description="A folder of each node, best on its NVMe disk."
    )
    claim: Name | None = Field(
        default=None, description="A PersistentVolumeClaim that all nodes may write to."
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "WeightCache":
        if (self.host_path is None) == (self.claim is None):
            raise ValueError("name either host_path or claim")
        return self


class GpuPods(Pods):
    """The pods that render on a GPU class, and how many there may be."""

    resource: str = Field(
        default="nvidia.com/gpu",
        pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$",
        description="What a device plugin calls a GPU; `gpu_count` of the class says how many.",
    )
    capacity: Literal["on_demand", "spot"] = Field(
        default="on_demand",
        description="Whether the provider may take the nodes back. Node labels and taints, and "
        "the class's price, say the same in the cluster's and in the ledger's words.",
    )
    cpu: Cpu = Field(default="8", description="Processors, for encoding beside the GPU.")
    memory_gib: float = Field(default=96, gt=0, description="Main memory, shared memory included.")
    scratch_gib: float = Field(
        default=64, gt=0, description="Disk for footage and temporary files."
    )
    shm_gib: float = Field(default=8, gt=0, description="Shared memory at /dev/shm.")
    cache: WeightCache = Field(
        default=WeightCache(host_path="/var/cache/wan"), description="Weights on the node."
    )
    grace_seconds: int = Field(
        default=60,
        ge=5,
        description="From SIGTERM to SIGKILL: to end a step and store its checkpoint.",
    )
    deadline_minutes: int = Field(
        default=240,
        ge=1,
        description="A pod that runs for longer is killed; waiting is not counted.",
    )
    retries: int = Field(
        default=3, ge=0, description="So often a shard whose pod was lost begins again."
    )
    slots: int = Field(
        default=4, ge=1, description="Pods that may render at the same time, over all runs."
    )

    @model_validator(mode="after")
    def _shared_memory_is_memory(self) -> "GpuPods":
        if self.shm_gib >= self.memory_gib:
            raise ValueError("shm_gib is part of memory_gib: make it smaller")
        return self


class Cluster(Record):
    """What all pods of an environment have in common."""

    namespace: Name = Field(default="wan", description="Where pods are made.")
    image: Secret = Field(
        default=FromEnvironment(env="WAN_IMAGE"),
        description="What runs and steps without a GPU run in; the code server's, as a rule.",
        examples=["registry.example.com/wan-pipelines:1.4.0"],
    )
    gpu_image: Secret = Field(
        default=FromEnvironment(env="WAN_GPU_IMAGE"),
        description="What runs on GPU nodes.",
        examples=["registry.example.com/wan-pipelines-gpu:1.4.0"],
    )
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        default="IfNotPresent", description="When the image is fetched."
    )
    pull_secrets: tuple[Name, ...] = Field(
        default=(), description="Secrets with which images are fetched."
    )
    service_account: Name = Field(
        default="wan-runs", description="Of run pods: it may create and delete Jobs."
    )
    step_service_account: Name = Field(
        default="wan-steps", description="Of steps: it needs no rights, and its token stays away."
    )
    secrets: tuple[Name, ...] = Field(
        default=(), description="Secrets whose keys become environment variables."
    )
    config_maps: tuple[Name, ...] = Field(
        default=(), description="ConfigMaps whose keys become environment variables."
    )
    in_cluster: bool = Field(
        default=True,
        description="The API server is found as pods find it; else as KUBECONFIG says.",
    )
    dagster_home: AbsolutePath = Field(
        default="/opt/dagster/dagster_home", description="Dagster's folder in the pods."
    )
    instance_config_map: Name = Field(
        default="dagster-instance", description="The ConfigMap that holds dagster.yaml."
    )
    user_id: int = Field(default=10001, ge=1, description="The user and group of all processes.")
    ttl_seconds: int = Field(
        default=86_400, ge=0, description="After so long an ended Job and its pods are removed."
    )
    health_seconds: int = Field(
        default=10, ge=1, description="Between two looks whether the pods of a run still are there."
    )
    start_timeout_seconds: int = Field(
        default=3600, ge=60, description="A run whose pod has not started by then has failed."
    )
    wait_hours: float = Field(
        default=24,
        gt=0,
        description="A step waits so long for a free node; then it has failed and its Job goes.",
    )
    runs: Pods = Field(
        default=Pods(memory_gib=1), description="The pod of a run, which looks after its steps."
    )
    steps: Pods = Field(default=Pods(), description="Pods of steps that need no GPU.")
