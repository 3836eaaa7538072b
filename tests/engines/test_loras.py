"""Low-rank weights count for the requests that ask for them, and for no others."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest

from tests.support.releases import REVISION, folder_release, request_for
from tests.support.tiny_pipeline import build_expert
from wan_pipelines.engines.loras import LoraFile, LoraSwitch, ensure_loras
from wan_pipelines.engines.reference import ReferenceEngine, load_reference_engine
from wan_pipelines.engines.release_parts import Lora
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.errors import EngineError, WeightsError
from wan_pipelines.weights.mirrored import Supply
from wan_pipelines.weights.sources import FolderSource


def lora(expert: str, scale: float = 1.0) -> dict[str, Any]:
    return {
        "expert": expert,
        "repository": "somebody/loras",
        "revision": REVISION,
        "file": f"{expert}.safetensors",
        "size_bytes": 1000,
        "scale": scale,
    }


def write_lora(path: Path, **expert_shape: int) -> Path:
    """Random low-rank weights for the attention of an expert."""
    import torch
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(len(path.stem))
    expert = build_expert(**expert_shape)
    expert.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"]))
    state: dict[str, Any] = {
        name: torch.randn_like(tensor) for name, tensor in get_peft_model_state_dict(expert).items()
    }
    WanPipeline.save_lora_weights(
        path.parent, transformer_lora_layers=state, weight_name=path.name, safe_serialization=True
    )
    return path


@pytest.fixture(scope="module")
def release(tiny_folder: Path) -> Release:
    draft = {"steps": 4, "guidance": 1.0, "loras": [lora("high"), lora("low", 0.5)]}
    tiers = {"draft": draft, "standard": {"steps": 4, "guidance": 1.0}}
    return folder_release(tiny_folder, dtype="float32", tiers=tiers)


@pytest.fixture(scope="module")
def files(release: Release, tmp_path_factory: pytest.TempPathFactory) -> tuple[LoraFile, ...]:
    folder = tmp_path_factory.mktemp("loras")
    loras: tuple[Lora, ...] = release.tiers["draft"].loras
    return tuple(LoraFile(lora, write_lora(folder / lora.file)) for lora in loras)


@pytest.fixture(scope="module")
def engine(release: Release, files: tuple[LoraFile, ...], tiny_folder: Path) -> ReferenceEngine:
    weights = FolderSource(tiny_folder).ensure(tiny_folder)
    return load_reference_engine(release, weights, files, threads=1)


def request_in(release: Release, tier: str) -> RenderRequest:
    sampling = replace(release.sampling(tier), max_sequence_length=32)
    return request_for(release, "a red ball", sampling=sampling)


def test_a_tier_with_loras_has_a_key_of_its_own(release: Release) -> None:
    draft, standard = request_in(release, "draft"), request_in(release, "standard")
    assert replace(draft.sampling, loras="") == standard.sampling
    assert draft.key != standard.key
    assert release.loras(draft.sampling.loras) == release.tiers["draft"].loras


def test_same_bytes_as_a_plain_call_with_the_loras(
    engine: ReferenceEngine, release: Release, files: tuple[LoraFile, ...], tiny_folder: Path
) -> None:
    import torch
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline
    from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

    plain: Any = WanPipeline.from_pretrained(tiny_folder, dtype=torch.float32)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = UniPCMultistepScheduler.from_config(plain.scheduler.config, flow_shift=5.0)

    def draw() -> np.ndarray:
        images = plain(
            prompt="a red ball",
            width=64,
            height=64,
            num_frames=9,
            num_inference_steps=4,
            guidance_scale=1.0,
            max_sequence_length=32,
            generator=torch.Generator("cpu").manual_seed(7),
            output_type="pil",
        ).frames[0]
        return np.stack([np.asarray(image) for image in images])

    without = draw()
    for name, file, to_low in (("high", files[0], False), ("low", files[1], True)):
        plain.load_lora_weights(
            file.path.parent,
            weight_name=file.path.name,
            adapter_name=name,
            load_into_transformer_2=to_low,
        )
    plain.transformer.set_adapters(["high"], [1.0])
    plain.transformer_2.set_adapters(["low"], [0.5])
    with_loras = draw()

    assert not np.array_equal(without, with_loras)
    for tier, expected in (("standard", without), ("draft", with_loras)) * 2:
        assert np.array_equal(engine.render(request_in(release, tier)).frames, expected), tier


@pytest.mark.parametrize("shape", [{"heads": 4}, {"layers": 3}], ids=["wider", "deeper"])
def test_a_lora_of_another_model_is_refused(
    release: Release, tiny_folder: Path, tmp_path: Path, shape: dict[str, int]
) -> None:
    lora = release.tiers["draft"].loras[0]
    foreign = LoraFile(lora, write_lora(tmp_path / "foreign.safetensors", **shape))
    with pytest.raises(EngineError, match="belongs to another model"):
        load_reference_engine(release, FolderSource(tiny_folder).ensure(tiny_folder), (foreign,))


def test_loras_are_fetched_and_verified_file_by_file(
    release: Release,
    files: tuple[LoraFile, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    present = {file.lora.file: file.path.read_bytes() for file in files}

    def download(repository: str, *, allow_patterns: list[str], local_dir: Path, **_: Any) -> None:
        for name in allow_patterns:
            (local_dir / name).write_bytes(present[name])

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    fetched = ensure_loras(release, tmp_path, Supply(allow_download=True))
    assert [file.path.read_bytes() for file in fetched] == list(present.values())
    assert ensure_loras(release, tmp_path) == fetched
    content = fetched[0].path.read_bytes()
    fetched[0].path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(WeightsError, match=r"high\.safetensors has the right size but other"):
        ensure_loras(release, tmp_path)


def test_a_lora_that_is_nowhere_is_an_error(release: Release, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"high-noise LoRA.*downloads are not allowed"):
        ensure_loras(release, tmp_path)


def test_without_peft_the_error_says_what_to_install(
    files: tuple[LoraFile, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wan_pipelines.engines.loras.util.find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"wan-pipelines\[loras\]"):
        LoraSwitch(None, files)
    LoraSwitch(None, ())
