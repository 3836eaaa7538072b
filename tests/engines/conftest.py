"""Weights that these tests share."""

import copy
from typing import Any

import pytest

from tests.support.tiny_pipeline import build_tiny_pipeline, tiny_folder

__all__ = ["tiny_folder"]


@pytest.fixture(scope="session")
def built_pipeline() -> Any:
    """A pipeline with random weights; not to be changed."""
    import torch

    torch.manual_seed(20)
    torch.set_num_threads(1)
    pipeline = build_tiny_pipeline()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def tiny_pipeline(built_pipeline: Any) -> Any:
    """A copy of it, to do with what one likes."""
    return copy.deepcopy(built_pipeline)
