"""A deployment with an engine of no cost, on SQLite or PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer, postgres_server
from tests.support.project import new_project
from tests.survival.scenes import PROMPTS, Scene
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.weights.manifest import Manifest

__all__ = ["postgres_server"]

WORKERS = {"count": 2, "threads": 1, "lease_seconds": 600}


@pytest.fixture(scope="session")
def no_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that passes for weights, for an engine that needs none."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "model_index.json").write_text("{}")
    Manifest.build(folder, release="sample", dtype="float32").write(folder)
    return folder


@pytest.fixture(scope="session")
def migrated_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger to copy: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    Ledger.open(file).close()
    return file


def new_scene(folder: Path, weights: Path, ledger: Path) -> Scene:
    """A campaign of three shots on SQLite; leases outlast every test."""
    project = new_project(folder / "project", weights)
    project.state.mkdir()
    shutil.copy(ledger, project.state)
    project.campaign(prompts=list(PROMPTS), renditions=["h264-half"])
    project.environment(workers=WORKERS)
    return Scene(project, folder / "hands")


@pytest.fixture
def scene(tmp_path: Path, no_weights: Path, migrated_ledger: Path) -> Iterator[Scene]:
    """A deployment on SQLite."""
    made = new_scene(tmp_path, no_weights, migrated_ledger)
    yield made
    made.clean_up()


@pytest.fixture
def postgres_scene(scene: Scene, postgres_server: PostgresServer) -> Iterator[Scene]:
    """The same on PostgreSQL."""
    url = postgres_server.new_database()
    scene.project.environment(ledger=url, workers=WORKERS)
    yield scene
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def moments(
    tmp_path_factory: pytest.TempPathFactory, no_weights: Path, migrated_ledger: Path
) -> int:
    """How many moments the life of an undisturbed worker has."""
    scene = new_scene(tmp_path_factory.mktemp("undisturbed"), no_weights, migrated_ledger)
    return scene.begin(scene.shard(), count=True).answer().moments
