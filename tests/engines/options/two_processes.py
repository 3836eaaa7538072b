"""One of two processes that share a shot: `two_processes.py RANK MEETING_FILE`.

Writes how many tokens a block here is given, how many there are, and the largest difference to the
latents that one process makes.
"""

import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import distributed

from tests.support.tiny_pipeline import build_tiny_pipeline
from wan_pipelines.engines.options.loading import convert
from wan_pipelines.engines.options.tier_options import ContextParallel, EngineOptions

WIDTH, HEIGHT, FRAMES = 80, 64, 5


def latents(pipeline: Any) -> torch.Tensor:
    return pipeline(
        prompt="a red ball",
        width=WIDTH,
        height=HEIGHT,
        num_frames=FRAMES,
        num_inference_steps=2,
        guidance_scale=1.0,
        max_sequence_length=32,
        generator=torch.Generator("cpu").manual_seed(1),
        output_type="latent",
    ).frames


def main(rank: int, meeting: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(20)
    pipeline = build_tiny_pipeline()
    pipeline.set_progress_bar_config(disable=True)
    tokens: list[int] = []
    query = pipeline.transformer.blocks[0].attn1.to_q
    query.register_forward_pre_hook(lambda _, given: tokens.append(given[0].shape[1]))
    alone = latents(pipeline)
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    parallel = ContextParallel(ulysses_degree=2, ulysses_anything=True)
    # diffusers counts accelerators, of which a CPU has none.
    with patch("torch.accelerator.device_count", lambda: 1):
        convert(pipeline, EngineOptions(context_parallel=parallel))
    together = latents(pipeline)
    distributed.destroy_process_group()
    difference = float((together - alone).abs().max())
    sys.stdout.write(f"{tokens[-1]} {tokens[0]} {difference}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
