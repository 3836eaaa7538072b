"""Weights that the engine's tests share."""

from pathlib import Path

import pytest

from tests.support.tiny_pipeline import write_tiny_pipeline


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with random weights and its manifest; not to be changed."""
    return write_tiny_pipeline(tmp_path_factory.mktemp("tiny") / "pipeline")
