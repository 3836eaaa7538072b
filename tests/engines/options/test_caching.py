"""Caches save work for the requests that ask for them, and leave nothing behind."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.options.conftest import counted, engine_for, request_in, tiered
from wan_pipelines.engines.reference import ReferenceEngine
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest

CACHES: dict[str, dict[str, Any]] = {
    "first_block": {"threshold": 0.9},
    "mag": {
        "threshold": 0.5,
        "retention_ratio": 0.0,
        "mag_ratios": [1.0, 1.01, 0.99],
        "mag_ratios_2": [1.0],
    },
    "sea": {"threshold": 5.0},
    "taylor_seer": {
        "cache_interval": 2,
        "disable_cache_before_step": 1,
        "taylor_factors_dtype": "float32",
    },
    "faster": {"spatial_attention_timestep_skip_range": [-1, 1001]},
    "pyramid_attention_broadcast": {
        "spatial_attention_block_skip_range": 2,
        "spatial_attention_timestep_skip_range": [0, 1001],
    },
}
LITE = {"kind": "taylor_seer", "use_lite_mode": True, **CACHES["taylor_seer"]}
GUIDABLE = ("first_block", "mag", "sea", "taylor_seer")


@pytest.fixture(scope="module")
def release(tiny_folder: Path) -> Release:
    tiers = {kind: {"cache": {"kind": kind, **fields}} for kind, fields in CACHES.items()}
    guided = {f"{kind}_guided": {**tiers[kind], "guidance": 2.0} for kind in GUIDABLE}
    plain = {"plain_guided": {"guidance": 2.0}, "lite": {"cache": LITE}}
    return tiered(tiny_folder, **tiers, **guided, **plain)


@pytest.fixture(scope="module")
def engine(release: Release, tiny_folder: Path) -> ReferenceEngine:
    return engine_for(release, tiny_folder)


def drawn(engine: ReferenceEngine, request: RenderRequest) -> tuple[np.ndarray, int]:
    """Frames, and how often self-attention was computed."""
    with counted(engine) as forwards:
        return engine.render(request).frames, forwards.count


@pytest.mark.parametrize("tier", [*CACHES, "lite", *(f"{kind}_guided" for kind in GUIDABLE)])
def test_a_cache_saves_forwards_draws_nearly_the_same_and_is_gone_afterwards(
    engine: ReferenceEngine, release: Release, tier: str
) -> None:
    plain = request_in(release, "plain_guided" if "guided" in tier else "plain")
    expected, all_forwards = drawn(engine, plain)
    first, forwards = drawn(engine, request_in(release, tier))
    assert 2 <= forwards < 0.8 * all_forwards
    assert np.abs(first.astype(int) - expected).mean() < 8
    assert drawn(engine, plain)[1] == all_forwards
    assert np.array_equal(drawn(engine, plain)[0], expected)


@pytest.mark.parametrize("kind", [*CACHES, "lite"])
def test_a_shot_rendered_second_is_the_shot_rendered_first(
    engine: ReferenceEngine, release: Release, kind: str
) -> None:
    request = request_in(release, kind)
    first, forwards = drawn(engine, request)
    engine.render(request_in(release, kind, seed=9, width=96, frames=5))
    assert np.array_equal(drawn(engine, request)[0], first)

    def stop(step: int, steps: int) -> None:
        if step == 3:
            raise KeyError("enough")

    with pytest.raises(KeyError):
        engine.render(request_in(release, kind, seed=10), stop)
    again, forwards_again = drawn(engine, request)
    assert np.array_equal(again, first)
    assert forwards_again == forwards


def test_same_bytes_as_a_plain_call_with_the_cache(
    engine: ReferenceEngine, release: Release, tiny_folder: Path
) -> None:
    import torch
    from diffusers.hooks.first_block_cache import FirstBlockCacheConfig
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline
    from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

    plain: Any = WanPipeline.from_pretrained(tiny_folder, dtype=torch.float32)
    plain.set_progress_bar_config(disable=True)
    plain.scheduler = UniPCMultistepScheduler.from_config(plain.scheduler.config, flow_shift=5.0)
    for expert in (plain.transformer, plain.transformer_2):
        expert.enable_cache(FirstBlockCacheConfig(threshold=0.9))
    images = plain(
        prompt="a red ball",
        negative_prompt="",
        width=64,
        height=64,
        num_frames=9,
        num_inference_steps=8,
        guidance_scale=2.0,
        guidance_scale_2=2.0,
        max_sequence_length=32,
        generator=torch.Generator("cpu").manual_seed(7),
        output_type="pil",
    ).frames[0]
    expected = np.stack([np.asarray(image) for image in images])
    request = request_in(release, "first_block_guided")
    assert np.array_equal(engine.render(request).frames, expected)


class Untouched:
    """A keeper that must not be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_a_cached_render_is_not_resumed_in_the_middle(
    engine: ReferenceEngine, release: Release
) -> None:
    """A checkpoint does not hold what a cache knows: it would go on to other pixels."""
    keeper: Any = Untouched()
    engine.render(request_in(release, "first_block"), keeper=keeper)
    with pytest.raises(AssertionError, match="found"):
        engine.render(request_in(release, "plain"), keeper=keeper)


@pytest.mark.parametrize("kind", ["faster", "pyramid_attention_broadcast"])
def test_why_two_caches_are_refused_with_guidance(tiny_folder: Path, kind: str) -> None:
    """diffusers gives them one state for both forwards of a step: one gets what is the other's."""
    from diffusers.hooks.pyramid_attention_broadcast import PyramidAttentionBroadcastConfig
    from pydantic import ValidationError

    from tests.support.tiny_pipeline import build_expert

    expert = build_expert()
    expert.enable_cache(
        PyramidAttentionBroadcastConfig(
            spatial_attention_block_skip_range=2, current_timestep_callback=lambda: 500
        )
    )
    hooks = [block.attn1._diffusers_hook.hooks.values() for block in expert.blocks]
    assert not any(hasattr(hook, "state_manager") for each in hooks for hook in each)
    cache = {"kind": kind, **CACHES[kind]}
    with pytest.raises(ValidationError, match=f"tiers.fast: cache {kind} mixes up the guided"):
        tiered(tiny_folder, fast={"guidance": 2.0, "cache": cache})
