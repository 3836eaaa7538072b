"""A small folder of weights."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from wan_pipelines.weights.manifest import Manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of weights, a configuration and a README, with their manifest."""
    folder = tmp_path / "weights"
    for part in ("transformer", "vae"):
        (folder / part).mkdir(parents=True)
        tensors = {"weight": np.arange(64, dtype=np.float32), "bias": np.ones(8, dtype=np.float16)}
        save_file(tensors, folder / part / "model.safetensors")
    (folder / "model_index.json").write_text("{}")
    (folder / "README.md").write_text("What it draws.")
    Manifest.build(folder, release="sample", dtype="float32").write(folder)
    return folder
