"""A control plane and a kubelet for all tests of the cluster, and a new deployment for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.scene import Scene
from tests.support.cluster_deployment import (
    BASE,
    Databases,
    add_nodes,
    deployed,
    environment,
    grant_rights,
)
from tests.support.control_plane import ControlPlane, control_plane
from tests.support.kubelet import Kubelet, running_kubelet
from tests.support.pod_image import STEP_SECONDS, running_image
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.project import new_project
from tests.support.quick_project import migrated_ledger, no_weights, quick_project
from wan_pipelines.ledger.database import Ledger

__all__ = ["control_plane", "migrated_ledger", "no_weights", "postgres_server", "quick_project"]

OFTEN = {"DAGSTER_STEP_DELEGATING_EXECUTOR_SLEEP_SECONDS": "0.4", STEP_SECONDS: "0"}


@pytest.fixture(scope="session")
def kubelet(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kubelet]:
    """The nodes of all tests."""
    folder = tmp_path_factory.mktemp("kubelet")
    grant_rights(control_plane)
    with (
        running_image(folder) as image,
        running_kubelet(control_plane, image, folder, BASE) as made,
    ):
        add_nodes(made)
        yield made


@pytest.fixture(scope="session")
def dagster_storage(postgres_server: PostgresServer) -> Iterator[str]:
    """A database for Dagster, whose tables take a second to make."""
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
    dagster_storage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Scene]:
    """A deployment of one campaign, and a ledger of its own."""
    project = new_project(tmp_path / "project", no_weights)
    project.environment(**environment(tmp_path))
    ledger = postgres_server.new_database()
    Ledger.open(ledger).close()
    databases = Databases(dagster_storage, ledger)
    with deployed(project, control_plane, databases, monkeypatch, **OFTEN) as instance:
        made = Scene(project, control_plane, kubelet, instance, control_plane.api())
        yield made
        made.clean_up()
    postgres_server.drop_database(ledger)
