"""The reference engine draws what a plain `WanPipeline` call draws, bit for bit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.releases import folder_release, request_for
from wan_pipelines.engines.reference import ReferenceEngine, load_reference_engine
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.errors import EngineError, RenderError
from wan_pipelines.weights.sources import FolderSource

GUIDED = Sampling(6, 2.0, 1.5, 3.0, "unipc", 32)


@pytest.fixture(scope="module")
def release(tiny_folder: Path) -> Release:
    return folder_release(tiny_folder, dtype="float32")


@pytest.fixture(scope="module")
def engine(release: Release, tiny_folder: Path) -> ReferenceEngine:
    weights = FolderSource(tiny_folder).ensure(tiny_folder)
    return load_reference_engine(release, weights, threads=1)


@pytest.fixture(scope="module")
def plain(tiny_folder: Path) -> Any:
    """What somebody without this project would load."""
    import torch
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline

    pipeline = WanPipeline.from_pretrained(tiny_folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def plain_frames(pipeline: Any, request: RenderRequest) -> np.ndarray:
    """uint8 (frames, height, width, 3) of a plain call; the scheduler is set beforehand."""
    import torch

    images = pipeline(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        width=request.width,
        height=request.height,
        num_frames=request.frames,
        num_inference_steps=request.sampling.steps,
        guidance_scale=request.sampling.guidance,
        guidance_scale_2=request.sampling.guidance_2,
        max_sequence_length=request.sampling.max_sequence_length,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="pil",
    ).frames[0]
    return np.stack([np.asarray(image) for image in images])


def unipc(pipeline: Any, shift: float) -> Any:
    from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

    return UniPCMultistepScheduler.from_config(pipeline.scheduler.config, flow_shift=shift)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sampling": replace(GUIDED, guidance=1.0, guidance_2=1.0)},
        {"sampling": replace(GUIDED, flow_shift=9.0, max_sequence_length=16), "seed": 8},
        {"negative_prompt": "a blue box", "width": 96, "frames": 5},
    ],
    ids=["two guided experts", "no guidance", "other shift and length", "negative prompt"],
)
def test_same_bytes_as_a_plain_pipeline_call(
    engine: ReferenceEngine, plain: Any, release: Release, changes: dict[str, Any]
) -> None:
    request = request_for(release, "a red ball rising", **{"sampling": GUIDED, **changes})
    plain.scheduler = unipc(plain, request.sampling.flow_shift)
    footage = engine.render(request)
    assert footage.frames.dtype == np.uint8
    assert footage.frames.tobytes() == plain_frames(plain, request).tobytes()


def test_same_bytes_with_the_euler_solver(
    engine: ReferenceEngine, plain: Any, release: Release
) -> None:
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
        FlowMatchEulerDiscreteScheduler,
    )

    request = request_for(release, "a ball", sampling=replace(GUIDED, scheduler="euler"))
    plain.scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    assert np.array_equal(engine.render(request).frames, plain_frames(plain, request))


def test_experts_and_vae_compute_in_the_types_of_the_release(tiny_folder: Path) -> None:
    import torch
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline

    release = folder_release(tiny_folder, dtype="bfloat16", vae_dtype="float32")
    engine = load_reference_engine(release, FolderSource(tiny_folder).ensure(tiny_folder))
    types = {"default": torch.bfloat16, "vae": torch.float32}
    plain: Any = WanPipeline.from_pretrained(tiny_folder, dtype=types)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = unipc(plain, GUIDED.flow_shift)
    request = request_for(release, "a red ball rising", sampling=GUIDED)
    assert np.array_equal(engine.render(request).frames, plain_frames(plain, request))
    for name, dtype in {
        "transformer": "bfloat16",
        "text_encoder": "bfloat16",
        "vae": "float32",
    }.items():
        assert getattr(engine._pipeline, name).dtype == getattr(torch, dtype), name


def test_renders_are_independent_of_what_was_rendered_before(
    engine: ReferenceEngine, release: Release
) -> None:
    request = request_for(release, "a blue box falling")
    first = engine.render(request).frames
    engine.render(request_for(release, "a red ball", seed=3, width=96))
    assert np.array_equal(engine.render(request).frames, first)
    assert not np.array_equal(engine.render(replace(request, seed=8)).frames, first)
    assert not np.array_equal(engine.render(replace(request, prompt="a box")).frames, first)


def test_stages_are_told_apart(engine: ReferenceEngine, release: Release) -> None:
    request = request_for(release, "a black box moving", sampling=GUIDED)
    first, again = engine.render(request), engine.render(request)
    for footage in (first, again):
        stages = footage.stages
        assert min(stages.denoise_high, stages.denoise_low, stages.decode) > 0
        assert footage.steps == 6
        assert footage.peak_memory_bytes > 10 * 2**20
    assert again.stages.text < first.stages.text / 4, "the text is encoded once"


def test_each_distinct_text_is_encoded_once(
    engine: ReferenceEngine, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, encode = list[str](), engine._pipeline.encode_prompt

    def encode_and_note(prompt: str, **options: Any) -> Any:
        texts.append(prompt)
        return encode(prompt=prompt, **options)

    monkeypatch.setattr(engine._pipeline, "encode_prompt", encode_and_note)
    sampling = replace(GUIDED, steps=1)
    for prompt, seed in (("a cone", 1), ("a cone", 2), ("two cones", 1), ("a cone", 3)):
        engine.render(request_for(release, prompt, seed=seed, sampling=sampling))
    assert sorted(texts) == sorted({"a cone", "two cones", *texts})
    assert len(texts) <= 3, "both prompts, and what is negative"


def test_steps_are_reported_and_can_be_cut_short(engine: ReferenceEngine, release: Release) -> None:
    request = request_for(release, "a ball", sampling=GUIDED)
    seen: list[tuple[int, int]] = []
    engine.render(request, lambda step, steps: seen.append((step, steps)))
    assert seen == [(step, 6) for step in range(7)]

    def stop_at_two(step: int, steps: int) -> None:
        if step == 2:
            raise KeyError("enough")

    before = engine.render(request).frames
    with pytest.raises(KeyError, match="enough"):
        engine.render(request, stop_at_two)
    assert np.array_equal(engine.render(request).frames, before)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 72}, "multiples of 16"),
        ({"frames": 8}, r"4 \* k \+ 1"),
        ({"release_identity": "0" * 64}, "Plan it again"),
        ({"sampling": replace(GUIDED, scheduler="ddim")}, "'unipc' or 'euler'"),
    ],
)
def test_nothing_is_rounded_silently(
    engine: ReferenceEngine, release: Release, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(RenderError, match=words):
        engine.render(request_for(release, "a ball", **changes))


@pytest.mark.parametrize("stage", ["denoise", "decode"])
def test_values_that_are_not_finite_are_an_error(
    engine: ReferenceEngine, release: Release, stage: str
) -> None:
    import torch

    pipeline = engine._pipeline
    model = pipeline.transformer_2 if stage == "denoise" else pipeline.vae.decoder
    weight = next(model.parameters())
    kept = weight.detach().clone()
    try:
        with torch.no_grad():
            weight.fill_(float("nan"))
        with pytest.raises(RenderError, match="not finite") as caught:
            engine.render(request_for(release, "a ball", sampling=GUIDED))
    finally:
        with torch.no_grad():
            weight.copy_(kept)
    assert caught.value.stage == stage


def test_a_release_that_contradicts_its_weights_is_refused(tiny_folder: Path) -> None:
    release = folder_release(tiny_folder, dtype="float32", boundary_ratio=0.9)
    with pytest.raises(EngineError, match=r"0\.9 in the release and 0\.875 in the weights"):
        load_reference_engine(release, FolderSource(tiny_folder).ensure(tiny_folder))


def test_a_gpu_that_is_not_there_is_an_error(release: Release, tiny_folder: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(EngineError, match="No CUDA device"):
        load_reference_engine(release, FolderSource(tiny_folder).ensure(tiny_folder), device="cuda")
