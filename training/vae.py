"""The video autoencoder: `AutoencoderKLWan`, small, trained on clips drawn on the fly."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan, unpatchify

from training.progress import REPORT_EVERY, cosine_rate, report, save_state
from training.world import SIZES, plot_course, render, training_scenes

CLIPS_PER_BATCH = {1: 16, 9: 4, 13: 3, 17: 2, 33: 1}
FRAME_SHARES = {1: 0.2, 9: 0.35, 13: 0.2, 17: 0.2, 33: 0.05}
WIDE_CHANNELS = 6  # while encoder and decoder learn together
LATENT_CHANNELS = 3  # after `training.narrow`
PIXEL_PATCH = 4
LATENT_DECAY = 1e-3
WINDOW = 96
OBJECT_WEIGHT = 7.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Clips `(B, 3, T, H, W)` in -1..1 and the loss weight of each pixel `(B, 1, T, H, W)`."""

    clips: torch.Tensor
    weights: torch.Tensor


@dataclass(frozen=True, slots=True)
class VaePlan:
    """A run of training: `steps` of a cosine laid out for `horizon`, the first share on windows."""

    steps: int
    horizon: int
    peak_rate: float
    window_share: float
    latent_noise: float
    seed: int


def build_vae(z_dim: int) -> AutoencoderKLWan:
    """16 x 16 x 4 pixels become one cell of `z_dim` numbers."""
    return AutoencoderKLWan(
        base_dim=8,
        decoder_base_dim=16,
        z_dim=z_dim,
        dim_mult=[1, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        is_residual=True,
        in_channels=48,
        out_channels=48,
        patch_size=PIXEL_PATCH,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        latents_mean=[0.0] * z_dim,
        latents_std=[1.0] * z_dim,
    )


def draw_batch(rng: np.random.Generator, window: int | None) -> Batch:
    """A batch of one size and length: whole pictures, or square windows that see the object."""
    lengths = list(FRAME_SHARES)
    frames = int(rng.choice(lengths, p=list(FRAME_SHARES.values())))
    size = SIZES[rng.integers(len(SIZES))]
    scenes = training_scenes()
    clips, nearnesses = [], []
    for _ in range(CLIPS_PER_BATCH[frames]):
        scene = scenes[rng.integers(len(scenes))]
        course = plot_course(scene.motion, size, rng)
        moments = np.linspace(0, 1, frames) if frames > 1 else rng.uniform(0, 1, 1)
        pixels, nearness = render(scene, course, size, moments)
        if window:
            x, y, _ = course.at(float(rng.uniform()))
            corner = np.array([y, x]) - window / 2 + rng.uniform(-24, 24, 2)
            top, left = np.clip(corner, 0, np.array(size) - window).astype(int)
            pixels = pixels[:, top : top + window, left : left + window]
            nearness = nearness[:, top : top + window, left : left + window]
        clips.append(pixels)
        nearnesses.append(nearness)
    pixels = torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    weights = 1 + OBJECT_WEIGHT * torch.from_numpy(np.stack(nearnesses))[:, None]
    return Batch(pixels, weights)


def encode_mean(vae: AutoencoderKLWan, clips: torch.Tensor) -> torch.Tensor:
    """Clips to latents `(B, z, (T-1)/4+1, H/16, W/16)`, not normalised."""
    return vae.encode(clips, return_dict=False)[0].mode()


def decode_unclamped(vae: AutoencoderKLWan, latents: torch.Tensor) -> torch.Tensor:
    """What `vae.decode` does without its clamp, whose gradient is zero outside -1..1."""
    vae.clear_cache()
    hidden = vae.post_quant_conv(latents)
    chunks = []
    for index in range(hidden.shape[2]):
        vae._conv_idx = [0]
        chunks.append(
            vae.decoder(
                hidden[:, :, index : index + 1],
                feat_cache=vae._feat_map,
                feat_idx=vae._conv_idx,
                first_chunk=index == 0,
            )
        )
    vae.clear_cache()
    return unpatchify(torch.cat(chunks, 2), patch_size=PIXEL_PATCH)


def train_vae(folder: Path, plan: VaePlan) -> AutoencoderKLWan:
    """Train encoder and decoder together; continues from the folder's last state."""
    torch.manual_seed(plan.seed)
    vae = build_vae(WIDE_CHANNELS)
    _train(vae, list(vae.parameters()), folder / "vae.pt", plan)
    return vae


def train_decoder(vae: AutoencoderKLWan, folder: Path, plan: VaePlan) -> None:
    """Go on with the decoder alone, so that latents that are already in use stay valid."""
    vae.encoder.requires_grad_(requires_grad=False)
    vae.quant_conv.requires_grad_(requires_grad=False)
    decoding = [value for value in vae.parameters() if value.requires_grad]
    _train(vae, decoding, folder / "decoder.pt", plan)


def _train(
    vae: AutoencoderKLWan, parameters: list[torch.nn.Parameter], state_file: Path, plan: VaePlan
) -> None:
    optimizer = torch.optim.AdamW(
        parameters, lr=plan.peak_rate, betas=(0.9, 0.98), weight_decay=0.0
    )
    first = 0
    if state_file.exists():
        saved = torch.load(state_file, weights_only=True)
        vae.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["step"]
    begun, losses = time.monotonic(), []
    for step in range(first, plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = plan.peak_rate * cosine_rate(step, plan.horizon)
        loss = _loss(vae, plan, step)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % REPORT_EVERY == 0 or step + 1 == plan.steps:
            report(state_file.stem, step + 1, plan.steps, losses, begun)
            save_state(
                {"model": vae.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1},
                state_file,
            )


def _loss(vae: AutoencoderKLWan, plan: VaePlan, step: int) -> torch.Tensor:
    """Weighted mean error; the noise teaches the decoder to forgive the velocity network."""
    rng = np.random.default_rng((plan.seed, step))
    window = WINDOW if step < plan.window_share * plan.steps else None
    batch = draw_batch(rng, window)
    latents = encode_mean(vae, batch.clips)
    generator = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
    noise = torch.randn(latents.shape, generator=generator)
    noisy = latents + plan.latent_noise * noise
    error = (decode_unclamped(vae, noisy) - batch.clips).abs()
    return (error * batch.weights).mean() + LATENT_DECAY * latents.square().mean()
