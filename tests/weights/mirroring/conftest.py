"""A snapshot as a hub's library leaves it in its cache, and a mirror."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from wan_pipelines.storage import FolderStore
from wan_pipelines.weights.mirror import WeightsMirror

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """Two shards of a transformer in float32, a VAE, configurations: links into `blobs`."""
    repository = tmp_path / "hub" / "models--somebody--sample"
    folder = repository / "snapshots" / COMMIT
    random = np.random.default_rng(3)
    first = {"blocks.0.weight": random.normal(size=(40, 25)).astype(np.float32)}
    second = {
        "blocks.0.norm1.weight": random.normal(size=7).astype(np.float32),
        "blocks.1.weight": random.normal(size=(40, 25)).astype(np.float32),
        "steps": np.arange(3),
    }
    names = [f"diffusion_pytorch_model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    places = dict.fromkeys(first, names[0]) | dict.fromkeys(second, names[1])
    files = {
        "model_index.json": b'{"_class_name": "WanPipeline"}',
        "transformer/config.json": b"{}",
        f"transformer/{names[0]}": save(first),
        f"transformer/{names[1]}": save(second),
        "transformer/diffusion_pytorch_model.safetensors.index.json": json.dumps(
            {"metadata": {"total_size": 8052}, "weight_map": places}
        ).encode(),
        "vae/model.safetensors": save({"weight": np.ones(30, np.float32)}),
        "README.md": b"What it draws.",
    }
    for path, content in files.items():
        blob = repository / "blobs" / hashlib.sha256(content).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(blob)
    return folder


@pytest.fixture
def mirror(tmp_path: Path) -> WeightsMirror:
    return WeightsMirror(FolderStore(tmp_path / "store", durable=False))
