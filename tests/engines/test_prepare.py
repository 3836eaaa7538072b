"""Preparing an engine: first the machine, then the weights, then the model."""

import shutil
from pathlib import Path

import pytest

from tests.support.releases import folder_release, hub_release, request_for
from wan_pipelines.engines.prepare import load, prepare
from wan_pipelines.engines.protocol import check_request
from wan_pipelines.engines.releases import read_release
from wan_pipelines.errors import FingerprintMismatch, WeightsError
from wan_pipelines.weights.mirrored import Supply

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_folder, tmp_path / "pipeline"))


def test_a_prepared_engine_loads_and_renders(tiny_folder: Path, tmp_path: Path) -> None:
    release = folder_release(tiny_folder, dtype="float32")
    prepared = prepare(release, tmp_path, threads=1)
    engine = load(prepared)
    assert engine.fingerprint == prepared.fingerprint
    assert engine.load_seconds > 0
    assert engine.render(request_for(release, "a ball")).frames.shape == (9, 64, 64, 3)


def test_the_shipped_release_is_ready_anywhere(tmp_path: Path) -> None:
    release = read_release(ROOT / "assets/models/wan-tiny/defs.yaml")
    prepared = prepare(release, tmp_path)
    assert prepared.weights.manifest.size_bytes < 8 * 2**20
    for size in release.sizes.offered:
        request = request_for(
            release, "x", width=size.width, height=size.height, frames=release.frames.default
        )
        check_request(release, request)


def test_the_digest_follows_release_and_runtime(tiny_folder: Path, tmp_path: Path) -> None:
    release = folder_release(tiny_folder, dtype="float32")
    digest = prepare(release, tmp_path, threads=1).digest
    assert prepare(release, tmp_path, threads=1).digest == digest
    assert prepare(release, tmp_path, threads=2).digest != digest
    other = folder_release(tiny_folder, dtype="bfloat16")
    assert prepare(other, tmp_path, threads=1).digest != digest


def test_a_machine_that_does_not_fit_is_refused_before_a_download(tmp_path: Path) -> None:
    release = hub_release(needs={"cuda": ">=12.1"})
    with pytest.raises(FingerprintMismatch, match="cuda"):
        prepare(release, tmp_path, supply=Supply(allow_download=True))
    assert not list(tmp_path.iterdir())


def test_damaged_weights_are_named_by_file(folder: Path, tmp_path: Path) -> None:
    release = folder_release(folder, dtype="float32")
    weights = folder / "vae" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    (folder / "scheduler" / "scheduler_config.json").unlink()
    with pytest.raises(WeightsError) as caught:
        prepare(release, tmp_path)
    message = str(caught.value)
    assert "vae/diffusion_pytorch_model.safetensors has the right size but other" in message
    assert "scheduler/scheduler_config.json is not there" in message
    with pytest.raises(WeightsError, match="is not there"):
        prepare(release, tmp_path, digests=False)
