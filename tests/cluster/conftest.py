"""A control plane and a kubelet for all tests of the cluster, and a new deployment for each."""

import base64
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml

from tests.cluster.scene import JOBS, Scene
from tests.support.control_plane import NAMESPACE, ControlPlane, control_plane
from tests.support.kubelet import Kubelet, running_kubelet
from tests.support.pod_image import running_image
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.project import new_project
from tests.support.quick_project import migrated_ledger, no_weights, quick_project
from wan_pipelines.components.cluster_instance import cluster_config
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.places import ROOT_VARIABLE
from wan_pipelines.studio.settings import read_settings

__all__ = ["control_plane", "migrated_ledger", "no_weights", "postgres_server", "quick_project"]

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "deploy" / "chart" / "files" / "role.yaml"
QUICK = {"DAGSTER_STEP_DELEGATING_EXECUTOR_SLEEP_SECONDS": "0.4", "OMP_NUM_THREADS": "1"}
RBAC = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"


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
    "image": {"env": "WAN_IMAGE"},
    "gpu_image": {"env": "WAN_GPU_IMAGE"},
    "secrets": ["wan-secrets"],
    "config_maps": ["wan-config"],
    "in_cluster": False,
    "health_seconds": 1,
}


@pytest.fixture(scope="session")
def kubelet(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kubelet]:
    """Two nodes with a GPU each, of one class; one of another; one without."""
    folder = tmp_path_factory.mktemp("kubelet")
    variables = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    api = control_plane.api()
    api.create(
        f"{RBAC}/roles", {"metadata": {"name": "runs"}, "rules": yaml.safe_load(ROLE.read_text())}
    )
    account = {"kind": "ServiceAccount", "name": "wan-runs", "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "runs"}
    binding = {"metadata": {"name": "runs"}, "subjects": [account], "roleRef": role}
    api.create(f"{RBAC}/rolebindings", binding)
    api.close()
    with (
        running_image(folder) as image,
        running_kubelet(control_plane, image, folder, variables) as made,
    ):
        made.add_node("plain")
        made.add_node("h100-a", 1, {"gpu": "h100"})
        made.add_node("h100-b", 1, {"gpu": "h100"})
        made.add_node("l40s-a", 1, {"gpu": "l40s"})
        yield made


@pytest.fixture(scope="session")
def database(postgres_server: PostgresServer) -> Iterator[str]:
    url = postgres_server.new_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def scene(
    tmp_path: Path,
    no_weights: Path,
    kubelet: Kubelet,
    control_plane: ControlPlane,
    postgres_server: PostgresServer,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    project = new_project(tmp_path / "project", no_weights)
    project.state.mkdir()
    project.environment(
        store=str(tmp_path / "store"),
        ledger={"env": "WAN_LEDGER_URL"},
        checkpoints={"store": str(tmp_path / "checkpoints"), "every_seconds": 0.5},
        cache=str(tmp_path / "cache"),
        gpu_class="h100",
        gpu_classes=CLASSES,
        kubernetes=CLUSTER,
        workers={"count": 1, "threads": 1, "shard_minutes": 0.0001, "lease_seconds": 6},
    )
    ledger = postgres_server.new_database()
    Ledger.open(ledger).close()
    secrets = {"WAN_LEDGER_URL": ledger, "WAN_DAGSTER_URL": database}
    values = {"WAN_IMAGE": "wan:cpu", "WAN_GPU_IMAGE": "wan:gpu", **QUICK}
    values |= {ROOT_VARIABLE: str(project.root), "WAN_TEST_STEP_SECONDS": "0"}
    project.enter(monkeypatch)
    for name, value in {**secrets, **values}.items():
        monkeypatch.setenv(name, value)
    rights = str(control_plane.kubeconfig("wan-runs"))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", rights)
    api = control_plane.api()
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in secrets.items()}
    for kind, name, data in (
        ("secrets", "wan-secrets", encoded),
        ("configmaps", "wan-config", values),
    ):
        path = f"/api/v1/namespaces/{NAMESPACE}/{kind}"
        api.delete(f"{path}/{name}")
        api.create(path, {"metadata": {"name": name}, "data": data})
    home = project.state / "dagster"
    home.mkdir()
    settings = read_settings(project.root, "local")
    assert settings.kubernetes
    config = cluster_config(settings, settings.kubernetes)
    storage = {"postgres": {"postgres_url": {"env": "WAN_DAGSTER_URL"}}}
    text = yaml.safe_dump({**config, "storage": storage, "telemetry": {"enabled": False}})
    (home / "dagster.yaml").write_text(text)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        yield Scene(project, control_plane, kubelet, instance, api)
    for job in api.items(JOBS):
        api.delete(f"{JOBS}/{job['metadata']['name']}")
    api.close()
    postgres_server.drop_database(ledger)
