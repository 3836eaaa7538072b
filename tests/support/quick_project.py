"""A deployment that is set up in a moment: weights that nobody loads, a ledger that is migrated.

Use it by importing the fixtures into a `conftest.py`: `from tests.support.quick_project import
migrated_ledger, no_weights, quick_project`.
"""

import shutil
from pathlib import Path

import pytest

from tests.support.project import Project, new_project
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.weights.manifest import Manifest


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


def quick_copy(folder: Path, weights: Path, ledger: Path) -> Project:
    """A deployment in `folder`, with a copy of the ledger."""
    made = new_project(folder / "project", weights)
    made.state.mkdir()
    shutil.copy(ledger, made.state)
    return made


@pytest.fixture
def quick_project(
    tmp_path: Path, no_weights: Path, migrated_ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A deployment of its own for one test, which this process stands in."""
    made = quick_copy(tmp_path, no_weights, migrated_ledger)
    made.enter(monkeypatch)
    return made
