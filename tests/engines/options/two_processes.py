"""What one of two processes does that share a shot."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import distributed

from tests.support.tiny_pipeline import build_tiny_pipeline
from wan_pipelines.engines.options.loading import convert
from wan_pipelines.engines.options.tier_options import ContextParallel, EngineOptions

WIDTH, HEIGHT, FRAMES = 80, 64, 5


@dataclass(frozen=True, slots=True)
class Share:
    """Tokens that a block was given here and that there are; largest difference of the latents."""

    tokens: int
    all_tokens: int
    difference: float


def share(rank: int, meeting: Path) -> Share:
    """Draws alone, then together with the process that meets at the same file."""
    torch.set_num_threads(1)
    torch.manual_seed(20)
    pipeline = build_tiny_pipeline()
    pipeline.set_progress_bar_config(disable=True)
    tokens: list[int] = []
    query = pipeline.transformer.blocks[0].attn1.to_q
    query.register_forward_pre_hook(lambda _, given: tokens.append(given[0].shape[1]))
    alone = _latents(pipeline)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    parallel = ContextParallel(ulysses_degree=2, ulysses_anything=True)
    # diffusers counts accelerators, of which a CPU has none.
    with patch("torch.accelerator.device_count", lambda: 1):
        convert(pipeline, EngineOptions(context_parallel=parallel))
    together = _latents(pipeline)
    distributed.destroy_process_group()
    return Share(tokens[-1], tokens[0], float((together - alone).abs().max()))


def _latents(pipeline: Any) -> torch.Tensor:
    return pipeline(
        prompt="a red ball",
        width=WIDTH,
        height=HEIGHT,
        num_frames=FRAMES,
        num_inference_steps=1,
        guidance_scale=1.0,
        max_sequence_length=32,
        generator=torch.Generator("cpu").manual_seed(1),
        output_type="latent",
    ).frames
