"""Scores of a checkpoint on scenes that training never saw."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.wan.pipeline_wan import WanPipeline

from training.captions import STYLES, Style, caption
from training.world import FRAMES, SIZES, held_out_scenes
from wan_pipelines.encoding.fidelity import PARTS, FidelityScore, TinyWorldScorer

STEPS = 12
GUIDANCE = 2.0
SEQUENCE_LENGTH = 32
LANDSCAPE = (128, 192)
PROMPTS_PER_CALL = 8


@dataclass(frozen=True, slots=True)
class Setting:
    """What one row of the table of scores was measured on."""

    size: tuple[int, int] = LANDSCAPE
    frames: int = 17
    guidance: float = GUIDANCE
    style: Style | None = None
    steps: int = STEPS
    sequence_length: int = SEQUENCE_LENGTH


@dataclass(frozen=True, slots=True)
class Row:
    """Shares of clips, in 0..1, that show each part as asked, and all parts at once."""

    setting: Setting
    clips: int
    shape: float
    colour: float
    background: float
    motion: float
    everything: float


def load_pipeline(folder: Path) -> WanPipeline:
    """The checkpoint in float32, silent."""
    pipeline = WanPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def render_clips(
    pipeline: WanPipeline, prompts: list[str], seeds: list[int], setting: Setting
) -> np.ndarray:
    """Clips `uint8 (N, T, H, W, 3)`, one generator each, so that batches do not change them."""
    height, width = setting.size
    video = pipeline(
        prompts,
        negative_prompt=[""] * len(prompts),
        height=height,
        width=width,
        num_frames=setting.frames,
        num_inference_steps=setting.steps,
        guidance_scale=setting.guidance,
        guidance_scale_2=setting.guidance,
        max_sequence_length=setting.sequence_length,
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        output_type="np",
    )[0]
    return np.rint(np.asarray(video) * 255).astype(np.uint8)


def evaluate(pipeline: WanPipeline, setting: Setting, seed: int = 0) -> Row:
    """Score one caption of each held-out scene."""
    prompts = held_out_captions(setting.style, seed)
    scorer = TinyWorldScorer()
    scores: list[FidelityScore] = []
    for first in range(0, len(prompts), PROMPTS_PER_CALL):
        batch = prompts[first : first + PROMPTS_PER_CALL]
        seeds = [seed * 1000 + first + offset for offset in range(len(batch))]
        clips = render_clips(pipeline, batch, seeds, setting)
        scores += [scorer.score(*pair) for pair in zip(clips, batch, strict=True)]
    shares = {part: _share(getattr(score, part) for score in scores) for part in PARTS}
    everything = _share(score.overall == 1 for score in scores)
    return Row(setting, len(scores), **shares, everything=everything)


def held_out_captions(style: Style | None, seed: int) -> list[str]:
    """One caption per held-out scene, in the style or in all styles by turns."""
    rng = np.random.default_rng((seed, 99))
    return [
        caption(scene, style or STYLES[number % len(STYLES)], rng)
        for number, scene in enumerate(held_out_scenes())
    ]


def settings_to_measure() -> dict[str, list[Setting]]:
    """The tables of the report: each varies one thing and keeps the demo's other settings."""
    return {
        "size": [Setting(size=size) for size in SIZES],
        "frames": [Setting(frames=frames) for frames in FRAMES],
        "guidance": [Setting(guidance=guidance) for guidance in (1.0, 1.5, 2.0, 3.0)],
        "style": [Setting(style=style) for style in STYLES],
        "sequence length": [Setting(sequence_length=length) for length in (64, 512)],
    }


def seconds_per_clip(pipeline: WanPipeline, setting: Setting) -> float:
    """Median wall time of three clips made one by one."""
    taken = []
    for seed in range(3):
        begun = time.monotonic()
        render_clips(pipeline, ["a red ball rising on a black background"], [seed], setting)
        taken.append(time.monotonic() - begun)
    return float(np.median(taken))


def _share(verdicts: Iterable[bool]) -> float:
    return float(np.mean(list(verdicts)))
