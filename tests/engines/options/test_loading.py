"""What a pipeline is loaded with: precision, place, and GPUs that share it."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.engines.options.conftest import engine_for, request_in, tiered
from tests.engines.test_loras import lora, write_lora
from wan_pipelines.engines.loras import LoraFile
from wan_pipelines.engines.options.loading import convert, offload_groups, place
from wan_pipelines.engines.options.tier_options import (
    ContextParallel,
    EngineOptions,
    GroupOffload,
    Loading,
)
from wan_pipelines.engines.reference import ReferenceEngine, load_reference_engine
from wan_pipelines.engines.releases import Release
from wan_pipelines.errors import EngineError
from wan_pipelines.weights.sources import FolderSource


@pytest.fixture(scope="module")
def release(tiny_folder: Path) -> Release:
    return tiered(
        tiny_folder,
        cast={"layerwise_casting": "float8_e4m3fn"},
        int8={"quantisation": "int8_weight_only"},
        cached={"layerwise_casting": "float8_e4m3fn", "cache": {"kind": "sea", "threshold": 5.0}},
    )


@pytest.fixture(scope="module")
def plain(release: Release, tiny_folder: Path) -> np.ndarray:
    return engine_for(release, tiny_folder).render(request_in(release, "plain")).frames


def query(engine: ReferenceEngine, expert: str = "transformer") -> Any:
    return getattr(engine._pipeline, expert).blocks[0].attn1.to_q


def nearly(frames: np.ndarray, expected: np.ndarray) -> bool:
    return 0 < np.abs(frames.astype(int) - expected).mean() < 8


def test_weights_are_stored_in_eight_bits_and_computed_with_in_more(
    release: Release, tiny_folder: Path, plain: np.ndarray
) -> None:
    import torch

    engine = engine_for(release, tiny_folder, "cast")
    used: list[Any] = []
    query(engine).register_forward_pre_hook(lambda layer, _: used.append(layer.weight.dtype))
    assert nearly(engine.render(request_in(release, "cast")).frames, plain)
    assert set(used) <= {torch.float8_e4m3fn, torch.float32}
    for expert in ("transformer", "transformer_2"):
        assert query(engine, expert).weight.dtype == torch.float8_e4m3fn
        embedder = getattr(engine._pipeline, expert).condition_embedder
        assert embedder.time_embedder.linear_1.weight.dtype == torch.float32
    assert engine._pipeline.vae.dtype == torch.float32


def test_both_experts_are_handed_to_torchao(
    release: Release, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call itself: torchao slows every import of diffusers down, so few have it installed."""
    quantization = ModuleType("torchao.quantization")
    quantization.Int8WeightOnlyConfig = lambda: "eight bits"  # pyright: ignore[reportAttributeAccessIssue]
    torchao = ModuleType("torchao")
    torchao.quantization = quantization  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "torchao", torchao)
    monkeypatch.setitem(sys.modules, "torchao.quantization", quantization)
    monkeypatch.setattr("diffusers.TorchAoConfig", lambda how: f"torchao, {how}")
    monkeypatch.setattr("diffusers.PipelineQuantizationConfig", lambda quant_mapping: quant_mapping)

    class Asked(Exception):
        pass

    def from_pretrained(path: Path, **arguments: Any) -> None:
        raise Asked(arguments["quantization_config"])

    monkeypatch.setattr(
        "diffusers.pipelines.wan.pipeline_wan.WanPipeline.from_pretrained", from_pretrained
    )
    with pytest.raises(Asked) as caught:
        engine_for(release, tiny_folder, "int8")
    both = dict.fromkeys(("transformer", "transformer_2"), "torchao, eight bits")
    assert caught.value.args == (both,)


def test_experts_are_quantised(release: Release, tiny_folder: Path, plain: np.ndarray) -> None:
    import torch

    pytest.importorskip("torchao", reason="wan-pipelines[quantisation] is not installed")
    engine = engine_for(release, tiny_folder, "int8")
    for expert in ("transformer", "transformer_2"):
        weight = query(engine, expert).weight
        assert type(weight).__name__ == "Int8Tensor"
        assert weight.qdata.dtype == torch.int8
    assert nearly(engine.render(request_in(release, "int8")).frames, plain)


def test_loras_count_in_an_engine_that_is_stored_in_eight_bits(
    tiny_folder: Path, tmp_path: Path, plain: np.ndarray
) -> None:
    import torch

    distilled = {"loras": [lora("high"), lora("low")]}
    cast = {"layerwise_casting": "float8_e4m3fn"}
    release = tiered(tiny_folder, distilled=distilled, cast={**distilled, **cast})
    loras = release.tiers["cast"].loras
    files = [LoraFile(each, write_lora(tmp_path / each.file)) for each in loras]
    weights = FolderSource(tiny_folder).ensure(tiny_folder)
    engine = load_reference_engine(release, weights, files, threads=1)
    expected = engine.render(request_in(release, "distilled")).frames
    assert np.abs(expected.astype(int) - plain).mean() > 3
    frames = engine.render(request_in(release, "cast")).frames
    assert np.abs(frames.astype(int) - expected).mean() < 1
    layer = query(engine)
    assert layer.base_layer.weight.dtype == torch.float8_e4m3fn
    assert layer.lora_A["lora_0"].weight.dtype == torch.float32, "what is small stays exact"


def test_an_engine_loads_anew_what_is_loaded_for_other_tiers(
    release: Release, tiny_folder: Path, plain: np.ndarray
) -> None:
    import torch

    engine = engine_for(release, tiny_folder, "cast")
    loaded = engine._pipeline
    cast = engine.render(request_in(release, "cast")).frames
    engine.render(request_in(release, "cached"))
    assert engine._pipeline is loaded, "a cache is for a request"
    assert np.array_equal(engine.render(request_in(release, "plain")).frames, plain)
    assert query(engine).weight.dtype == torch.float32
    assert np.array_equal(engine.render(request_in(release, "cast")).frames, cast)


def test_models_rest_on_the_host_where_that_is_declared(tiny_pipeline: Any) -> None:
    """The calls themselves: there is no GPU here to load onto."""

    class Recorder:
        def __init__(self) -> None:
            self.calls: list[tuple[str, Any]] = []

        def __getattr__(self, name: str) -> Any:
            return lambda *args, **kwargs: self.calls.append((name, args or kwargs))

    def calls(offload: Any, device: Any = "cuda") -> list[str]:
        pipeline = Recorder()
        place(pipeline, Loading(EngineOptions(), offload), device)
        return [name for name, _ in pipeline.calls]

    assert calls("none") == ["to"]
    assert calls("model") == ["enable_model_cpu_offload"]
    assert calls("group") == ["enable_group_offload"]
    assert calls("model", "cpu") == calls("group", "cpu") == ["to"]


@pytest.mark.parametrize("level", ["block_level", "leaf_level"])
def test_groups_of_layers_are_fetched_when_they_compute(
    release: Release, tiny_folder: Path, plain: np.ndarray, level: Any
) -> None:
    """diffusers' own hooks, from the host to the host."""
    engine = engine_for(release, tiny_folder)
    offload_groups(engine._pipeline, GroupOffload(type=level, use_stream=False), "cpu")
    hooked = [
        module
        for module in engine._pipeline.transformer.modules()
        if "group_offloading" in getattr(module, "_diffusers_hook", _NoHooks).hooks
    ]
    assert len(hooked) > 2
    assert np.array_equal(engine.render(request_in(release, "plain")).frames, plain)
    cached = tiered(tiny_folder, plain={"cache": {"kind": "sea", "threshold": 5.0}})
    engine.render(request_in(cached, "plain"))
    assert np.array_equal(engine.render(request_in(release, "plain")).frames, plain)


class _NoHooks:
    hooks: tuple[str, ...] = ()


def test_one_process_cannot_be_several_gpus(tiny_pipeline: Any) -> None:
    options = EngineOptions(context_parallel=ContextParallel(ulysses_degree=2))
    with pytest.raises(EngineError, match="over 2 GPUs, and this process is one of 1"):
        convert(tiny_pipeline, options)
