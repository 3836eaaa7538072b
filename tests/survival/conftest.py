"""A deployment with an engine of no cost, on SQLite or PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer, postgres_server
from tests.support.quick_project import migrated_ledger, no_weights, quick_copy
from tests.support.seaweed import s3, s3_server
from tests.support.tiny_pipeline import tiny_folder
from tests.survival.scenes import PROMPTS, Scene

__all__ = ["migrated_ledger", "no_weights", "postgres_server", "s3", "s3_server", "tiny_folder"]

WORKERS = {"count": 2, "threads": 1, "lease_seconds": 600}


def new_scene(folder: Path, weights: Path, ledger: Path) -> Scene:
    """A campaign of three shots on SQLite; leases outlast every test."""
    project = quick_copy(folder, weights, ledger)
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
