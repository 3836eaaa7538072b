"""A deployment whose runs are pods of the test cluster: what a chart would set up, in one place."""

import base64
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from tests.support.control_plane import NAMESPACE, Api, ControlPlane
from tests.support.kubelet import Kubelet
from tests.support.project import Project
from wan_pipelines.components.cluster_instance import cluster_config
from wan_pipelines.places import ROOT_VARIABLE
from wan_pipelines.studio.settings import read_settings

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "deploy" / "chart" / "files" / "role.yaml"
RBAC = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
RUNS = "wan-runs"
BASE = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
"""What the image of containers has in its environment."""


def pods(**changes: object) -> dict[str, object]:
    """Of a GPU class, small enough for many of them on a node."""
    small = {"cpu": "1", "memory_gib": 1, "shm_gib": 0.5, "scratch_gib": 1, "retries": 5}
    return {**small, "grace_seconds": 30, **changes}


CLASSES = {
    "h100": {
        "device": "cpu",
        "price_usd_per_hour": "2.69",
        "kubernetes": pods(node_selector={"gpu": "h100"}),
    },
    "l40s": {
        "device": "cpu",
        "price_usd_per_hour": "0.86",
        "kubernetes": pods(node_selector={"gpu": "l40s"}, capacity="spot"),
    },
}
CLUSTER = {
    "namespace": NAMESPACE,
    "secrets": ["wan-secrets"],
    "config_maps": ["wan-config"],
    "in_cluster": False,
    "health_seconds": 1,
}


@dataclass(frozen=True, slots=True)
class Databases:
    """URLs of Dagster's storage and of the ledger."""

    dagster: str
    ledger: str


def grant_rights(plane: ControlPlane) -> None:
    """Give the account of runs the role that the chart ships."""
    api = plane.api()
    rules = yaml.safe_load(ROLE.read_text())
    api.create(f"{RBAC}/roles", {"metadata": {"name": RUNS}, "rules": rules})
    account = {"kind": "ServiceAccount", "name": RUNS, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": RUNS}
    binding = {"metadata": {"name": RUNS}, "subjects": [account], "roleRef": role}
    api.create(f"{RBAC}/rolebindings", binding)
    api.close()


def add_nodes(kubelet: Kubelet) -> None:
    """Two nodes with a GPU each, of one class; one of another; one without."""
    kubelet.add_node("plain")
    kubelet.add_node("h100-a", 1, {"gpu": "h100"})
    kubelet.add_node("h100-b", 1, {"gpu": "h100"})
    kubelet.add_node("l40s-a", 1, {"gpu": "l40s"})


@contextmanager
def deployed(
    project: Project,
    plane: ControlPlane,
    databases: Databases,
    patch: pytest.MonkeyPatch,
    **variables: str,
) -> Iterator[dg.DagsterInstance]:
    """The instance of a deployment that this process stands in, where the daemon would."""
    secrets = {"WAN_LEDGER_URL": databases.ledger, "WAN_DAGSTER_URL": databases.dagster}
    images = {"WAN_IMAGE": "wan:cpu", "WAN_GPU_IMAGE": "wan:gpu"}
    values = {ROOT_VARIABLE: str(project.root), "OMP_NUM_THREADS": "1", **images, **variables}
    project.enter(patch)
    for name, value in {**secrets, **values}.items():
        patch.setenv(name, value)
    rights = str(plane.kubeconfig(RUNS))
    patch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", rights)
    api = plane.api()
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in secrets.items()}
    _replace(api, "secrets", "wan-secrets", encoded)
    _replace(api, "configmaps", "wan-config", values)
    api.close()
    home = project.state / "dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text(_instance(project))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield instance


def environment(folder: Path, **changes: Any) -> dict[str, Any]:
    """Attributes of an environment whose store and checkpoints all nodes reach."""
    return {
        "store": str(folder / "store"),
        "ledger": {"env": "WAN_LEDGER_URL"},
        "checkpoints": {"store": str(folder / "checkpoints"), "every_seconds": 0.5},
        "cache": str(folder / "cache"),
        "gpu_class": "h100",
        "gpu_classes": CLASSES,
        "kubernetes": CLUSTER,
        "workers": {"count": 1, "threads": 1, "shard_minutes": 0.0001, "lease_seconds": 6},
        **changes,
    }


def _replace(api: Api, kind: str, name: str, data: Mapping[str, str]) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}/{kind}"
    api.delete(f"{path}/{name}")
    api.create(path, {"metadata": {"name": name}, "data": dict(data)})


def _instance(project: Project) -> str:
    settings = read_settings(project.root, "local")
    assert settings.kubernetes
    config = cluster_config(settings, settings.kubernetes)
    storage = {"postgres": {"postgres_url": {"env": "WAN_DAGSTER_URL"}}}
    return yaml.safe_dump({**config, "storage": storage, "telemetry": {"enabled": False}})
