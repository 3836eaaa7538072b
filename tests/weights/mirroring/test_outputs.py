"""Tensors converted and cut as a release says, in files that the libraries read."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.manifest import Conversion
from wan_pipelines.weights.mirroring.origins import open_folder
from wan_pipelines.weights.mirroring.outputs import Copy, Shard, Text, outputs_of
from wan_pipelines.weights.mirroring.writing import write_shard

INDEX = "transformer/diffusion_pytorch_model.safetensors.index.json"


def written(snapshot: Path, target: Path, conversion: Conversion) -> dict[str, torch.Tensor]:
    """The transformer's tensors after they were written anew, as its index finds them."""
    for component in ("transformer", "vae"):
        (target / component).mkdir(parents=True)
    for output in outputs_of(open_folder(snapshot), conversion):
        match output:
            case Shard():
                write_shard(output, target / output.path, lambda: None)
                assert output.size_bytes == (target / output.path).stat().st_size
            case Text(content=content):
                (target / output.path).write_bytes(content)
            case Copy():
                pass
    places = json.loads((target / INDEX).read_text())["weight_map"]
    tensors: dict[str, torch.Tensor] = {}
    for name, file in places.items():
        with safe_open(target / "transformer" / file, framework="pt") as opened:
            assert opened.metadata() == {"format": "pt"}
            tensors[name] = opened.get_tensor(name)
    return tensors


def originals(snapshot: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for file in (snapshot / "transformer").glob("*.safetensors"):
        found |= load_file(file)
    return found


def test_what_changes_nothing_is_copied(snapshot: Path) -> None:
    outputs = outputs_of(open_folder(snapshot), Conversion(shard_bytes=10**9))
    assert all(isinstance(output, Copy) for output in outputs)
    assert len(outputs) == 7


def test_floating_tensors_are_rounded_but_for_those_that_are_kept(
    snapshot: Path, tmp_path: Path
) -> None:
    conversion = Conversion(bfloat16=("transformer",), keep=("norm1",), shard_bytes=2500)
    tensors, before = written(snapshot, tmp_path / "out", conversion), originals(snapshot)
    assert tensors.keys() == before.keys()
    for name, tensor in before.items():
        is_kept = "norm1" in name or name == "steps"
        expected = tensor if is_kept else tensor.to(torch.bfloat16)
        assert tensors[name].dtype == expected.dtype
        assert torch.equal(tensors[name], expected)
    index = json.loads((tmp_path / "out" / INDEX).read_text())
    sizes = [tensor.numel() * tensor.element_size() for tensor in tensors.values()]
    assert index["metadata"]["total_size"] == sum(sizes)


@pytest.mark.parametrize(("shard_bytes", "files"), [(4028, 2), (4000, 4), (100, 4)])
def test_files_are_cut_to_size_and_tensors_stay_whole(
    snapshot: Path, tmp_path: Path, shard_bytes: int, files: int
) -> None:
    """The tensors have 28, 4000, 4000 and 24 bytes, in the order of their names."""
    tensors = written(snapshot, tmp_path / "out", Conversion(shard_bytes=shard_bytes))
    assert tensors.keys() == originals(snapshot).keys()
    found = sorted((tmp_path / "out" / "transformer").glob("*.safetensors"))
    assert [file.stem[-14:] for file in found] == [
        f"{number:05}-of-{files:05}" for number in range(1, files + 1)
    ]
    payloads = [
        sum(tensor.numel() * tensor.element_size() for tensor in load_file(file).values())
        for file in found
    ]
    assert max(payloads) <= max(shard_bytes, 4000)


def test_what_fits_into_one_file_needs_no_index(snapshot: Path) -> None:
    conversion = Conversion(bfloat16=("transformer",), shard_bytes=10**9)
    paths = [output.path for output in outputs_of(open_folder(snapshot), conversion)]
    assert "transformer/diffusion_pytorch_model.safetensors" in paths
    assert INDEX not in paths


def test_a_component_that_is_not_there_is_an_error(snapshot: Path) -> None:
    with pytest.raises(WeightsError, match=r"no component 'unet'.*It has: transformer, vae"):
        outputs_of(open_folder(snapshot), Conversion(bfloat16=("unet",), shard_bytes=1))


def test_tensors_are_never_in_memory_as_a_whole(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut into pieces of seven numbers, it is the same file."""
    conversion = Conversion(bfloat16=("transformer",), shard_bytes=10**9)
    (shard,) = (
        output
        for output in outputs_of(open_folder(snapshot), conversion)
        if isinstance(output, Shard)
    )
    write_shard(shard, tmp_path / "whole", lambda: None)
    monkeypatch.setattr("wan_pipelines.weights.mirroring.writing.PIECE_NUMBERS", 7)
    write_shard(shard, tmp_path / "pieces", lambda: None)
    assert (tmp_path / "whole").read_bytes() == (tmp_path / "pieces").read_bytes()


def test_half_precision_is_rounded_too(snapshot: Path) -> None:
    from safetensors.numpy import save_file

    (snapshot / "vae" / "model.safetensors").unlink()
    save_file({"w": np.ones(4, np.float16)}, snapshot / "vae" / "model.safetensors")
    conversion = Conversion(bfloat16=("vae",), shard_bytes=10**9)
    (shard,) = (
        output
        for output in outputs_of(open_folder(snapshot), conversion)
        if isinstance(output, Shard)
    )
    assert [tensor.dtype for tensor in shard.tensors] == ["BF16"]
