"""Rectified-flow training: the network learns the velocity from data to noise.

At noise level sigma in 0..1 the network sees (1 - sigma) * latents + sigma * noise at timestep
1000 * sigma and predicts noise - latents (Lipman et al. 2023, https://arxiv.org/abs/2210.02747).
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from torch.nn.functional import pad
from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

from training.captions import training_caption
from training.latents import Bucket
from training.networks import FLOW_SHIFT
from training.probe import PositionProbe
from training.progress import REPORT_EVERY, cosine_rate, report, save_state
from training.world import training_scenes

BATCH = 64
CAPTION_DROPOUT = 0.1
EMA_DECAY = 0.995
# Text is padded with zeros that attention does not mask, so the network must know several lengths.
PADDED_LENGTHS = {32: 0.84, 64: 0.14, 128: 0.01, 512: 0.01}


@dataclass(frozen=True, slots=True)
class Course:
    """One run of training: how long, how fast, on which noise levels."""

    name: str
    steps: int
    peak_rate: float
    sigmas: tuple[float, float]
    sizes: tuple[tuple[int, int], ...]
    frame_shares: dict[int, float]
    seed: int
    probed: bool = False

    def share(self, bucket: Bucket) -> float:
        """How often, relative to others, a batch comes from the bucket."""
        return self.frame_shares.get(bucket.frames, 0.0) if bucket.size in self.sizes else 0.0


def train_flow(
    course: Course,
    network: WanTransformer3DModel,
    text_encoder: UMT5EncoderModel,
    tokenizer: PreTrainedTokenizerFast,
    buckets: list[Bucket],
    folder: Path,
    train_text: bool,
) -> None:
    """Train in place and end with averaged weights; continues from the folder's last state."""
    model = torch.nn.ModuleDict({"network": network})
    if train_text:
        model["text"] = text_encoder
    probe = PositionProbe(network) if course.probed else None
    if probe is not None:
        model["probe"] = probe
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=0.01)
    average = {name: value.detach().clone() for name, value in model.state_dict().items()}
    state_file = folder / f"{course.name}.pt"
    first = 0
    if state_file.exists():
        saved = torch.load(state_file, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        average, first = saved["average"], saved["step"]
    begun, losses = time.monotonic(), []
    for step in range(first, course.steps):
        for group in optimizer.param_groups:
            group["lr"] = course.peak_rate * cosine_rate(step, course.steps)
        loss = _loss(course, step, network, text_encoder, tokenizer, buckets, train_text, probe)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        _update_average(average, model, step)
        losses.append(loss.item())
        if (step + 1) % REPORT_EVERY == 0 or step + 1 == course.steps:
            report(course.name, step + 1, course.steps, losses, begun)
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            save_state({**state, "average": average, "step": step + 1}, state_file)
    model.load_state_dict(average)


def embed(
    texts: list[str],
    tokenizer: PreTrainedTokenizerFast,
    text_encoder: UMT5EncoderModel,
    length: int,
) -> torch.Tensor:
    """Texts to `(B, length, width)`, zeros after each text's end, as `WanPipeline` does."""
    tokens = tokenizer(texts, padding=True, truncation=True, max_length=32, return_tensors="pt")
    hidden = text_encoder(tokens.input_ids, tokens.attention_mask).last_hidden_state
    hidden = hidden * tokens.attention_mask[..., None]
    return pad(hidden, (0, 0, 0, length - hidden.shape[1]))


def _loss(
    course: Course,
    step: int,
    network: WanTransformer3DModel,
    text_encoder: UMT5EncoderModel,
    tokenizer: PreTrainedTokenizerFast,
    buckets: list[Bucket],
    train_text: bool,
    probe: PositionProbe | None,
) -> torch.Tensor:
    rng = np.random.default_rng((course.seed, step))
    generator = torch.Generator().manual_seed(course.seed * 1_000_003 + step)
    shares = np.array([course.share(bucket) for bucket in buckets])
    bucket = buckets[rng.choice(len(buckets), p=shares / shares.sum())]
    chosen = torch.from_numpy(rng.integers(len(bucket.latents), size=BATCH))
    scenes = training_scenes()
    texts = [_text(scenes[int(index)], rng) for index in bucket.scenes[chosen]]
    length = int(rng.choice(list(PADDED_LENGTHS), p=list(PADDED_LENGTHS.values())))
    with torch.set_grad_enabled(train_text):
        context = embed(texts, tokenizer, text_encoder, length)
    latents = bucket.latents[chosen]
    noise = torch.randn(latents.shape, generator=generator)
    sigma = _draw_sigmas(course.sigmas, rng)
    mixed = torch.lerp(latents, noise, sigma.view(-1, 1, 1, 1, 1))
    velocity = network(mixed, 1000 * sigma, context, return_dict=False)[0]
    loss = (velocity - (noise - latents)).square().mean()
    return loss if probe is None else loss + probe.loss(latents)


def _text(scene, rng: np.random.Generator) -> str:
    if rng.uniform() >= CAPTION_DROPOUT:
        return training_caption(scene, rng)
    return "" if rng.uniform() < 0.8 else "? " + "unknown " * int(rng.integers(1, 9))


def _draw_sigmas(limits: tuple[float, float], rng: np.random.Generator) -> torch.Tensor:
    """Evenly spread over the shifted schedule's part between the limits."""
    low, high = (sigma / (FLOW_SHIFT - (FLOW_SHIFT - 1) * sigma) for sigma in limits)
    even = low + (high - low) * (np.arange(BATCH) + rng.uniform(0, 1, BATCH)) / BATCH
    return torch.from_numpy(FLOW_SHIFT * even / (1 + (FLOW_SHIFT - 1) * even)).float()


def _update_average(average: dict[str, torch.Tensor], model: torch.nn.Module, step: int) -> None:
    decay = min(EMA_DECAY, (step + 1) / (step + 10))
    for name, value in model.state_dict().items():
        average[name].lerp_(value, 1 - decay)
