"""Our loop against `WanPipeline.__call__`: the same latents, bit for bit.

When diffusers is upgraded, this is where a change of its loop shows.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.engines.denoisings import Scene, finish, sampling, scene
from wan_pipelines.engines.denoising import Denoising


def latents_of_pipeline(scene: Scene) -> Any:
    """Latents that the pipeline's own call ends with."""
    import torch

    request = scene.request
    scene.pipeline.scheduler = scene.scheduler()
    two_experts = scene.pipeline.config.boundary_ratio is not None
    return scene.pipeline(
        prompt_embeds=scene.text.prompt,
        negative_prompt_embeds=scene.text.negative,
        width=request.width,
        height=request.height,
        num_frames=request.frames,
        num_inference_steps=request.sampling.steps,
        guidance_scale=request.sampling.guidance,
        guidance_scale_2=request.sampling.guidance_2 if two_experts else None,
        generator=torch.Generator("cpu").manual_seed(request.seed),
        output_type="latent",
        return_dict=False,
    )[0]


def assert_same(scene: Scene) -> None:
    import torch

    expected, ours = latents_of_pipeline(scene), finish(scene.begin())
    assert ours.dtype == expected.dtype
    assert torch.equal(ours, expected)


@pytest.mark.parametrize("solver", ["unipc", "euler"])
@pytest.mark.parametrize("guidance", [1.0, 2.0])
@pytest.mark.parametrize("guidance_2", [0.5, 3.0])
@pytest.mark.parametrize("boundary", [None, 0.875])
def test_same_latents_as_the_pipeline(
    tiny_pipeline: Any, solver: str, guidance: float, guidance_2: float, boundary: float | None
) -> None:
    tiny_pipeline.register_to_config(boundary_ratio=boundary)
    chosen = sampling(solver, guidance=guidance, guidance_2=guidance_2)
    assert_same(scene(tiny_pipeline, sampling=chosen))


@pytest.mark.parametrize("solver", ["unipc", "euler"])
@pytest.mark.parametrize(("width", "height", "frames"), [(96, 64, 5), (32, 80, 17), (64, 64, 1)])
def test_same_latents_for_other_shapes(
    tiny_pipeline: Any, solver: str, width: int, height: int, frames: int
) -> None:
    assert_same(scene(tiny_pipeline, solver, width=width, height=height, frames=frames, seed=8))


@pytest.mark.parametrize("solver", ["unipc", "euler"])
def test_same_latents_in_bfloat16(tiny_pipeline: Any, solver: str) -> None:
    import torch

    tiny_pipeline.transformer.to(torch.bfloat16)
    tiny_pipeline.transformer_2.to(torch.bfloat16)
    assert_same(scene(tiny_pipeline, solver))


def test_same_latents_where_each_token_has_a_timestep(tiny_pipeline: Any) -> None:
    """As the 5B model of Wan 2.2 wants it."""
    tiny_pipeline.register_to_config(expand_timesteps=True)
    assert_same(scene(tiny_pipeline))


def test_one_step_is_enough(tiny_pipeline: Any) -> None:
    one = replace(sampling("unipc"), steps=1)
    assert_same(scene(tiny_pipeline, sampling=one))


@pytest.mark.parametrize(("guidance", "forwards"), [(1.0, 6), (1.1, 12)])
def test_no_guidance_no_second_forward(tiny_pipeline: Any, guidance: float, forwards: int) -> None:
    run = scene(tiny_pipeline, sampling=sampling("unipc", guidance=guidance)).begin()
    counts = {"high": 0, "low": 0}
    for name, expert in (("high", run.pipeline.transformer), ("low", run.pipeline.transformer_2)):
        expert.register_forward_pre_hook(
            lambda *_, name=name: counts.update({name: counts[name] + 1})
        )
    high_steps = sum(run.is_high_noise(step) for step in range(run.steps))
    finish(run)
    assert 0 < high_steps < run.steps
    assert counts == {
        "high": high_steps * forwards // 6,
        "low": (run.steps - high_steps) * forwards // 6,
    }


def test_steps_are_counted(tiny_pipeline: Any) -> None:
    run: Denoising = scene(tiny_pipeline).begin()
    assert (run.step, run.steps, run.is_done) == (0, 6, False)
    finish(run)
    assert (run.step, run.steps, run.is_done) == (6, 6, True)
