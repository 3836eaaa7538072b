"""A server in this process, with an engine that needs no model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.gate import Served, served


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests of a module that ask for nothing that is done."""
    with served(tmp_path_factory.mktemp("refusing")) as running:
        yield running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running
