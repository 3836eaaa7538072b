"""The video autoencoder: `AutoencoderKLWan`, small, trained on clips drawn on the fly."""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

from training.world import SIZES, every_scene, plot_course, render

CLIPS_PER_BATCH = {1: 16, 9: 4, 13: 3, 17: 2, 33: 1}
FRAME_SHARES = {1: 0.2, 9: 0.35, 13: 0.2, 17: 0.2, 33: 0.05}
LATENT_NOISE = 0.1
LATENT_DECAY = 1e-3
PEAK_RATE = 8e-4
OBJECT_WEIGHT = 7.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Clips `(B, 3, T, H, W)` in -1..1 and the loss weight of each pixel `(B, 1, T, H, W)`."""

    clips: torch.Tensor
    weights: torch.Tensor


def build_vae(z_dim: int = 4) -> AutoencoderKLWan:
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
        patch_size=4,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        latents_mean=[0.0] * z_dim,
        latents_std=[1.0] * z_dim,
    )


def draw_batch(rng: np.random.Generator) -> Batch:
    """A batch of one size and length."""
    lengths = list(FRAME_SHARES)
    frames = int(rng.choice(lengths, p=list(FRAME_SHARES.values())))
    size = SIZES[rng.integers(len(SIZES))]
    scenes = every_scene()
    clips, nearnesses = [], []
    for _ in range(CLIPS_PER_BATCH[frames]):
        scene = scenes[rng.integers(len(scenes))]
        course = plot_course(scene.motion, size, rng)
        moments = np.linspace(0, 1, frames) if frames > 1 else rng.uniform(0, 1, 1)
        pixels, nearness = render(scene, course, size, moments)
        clips.append(pixels)
        nearnesses.append(nearness)
    pixels = torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    weights = 1 + OBJECT_WEIGHT * torch.from_numpy(np.stack(nearnesses))[:, None]
    return Batch(pixels, weights)


def encode_mean(vae: AutoencoderKLWan, clips: torch.Tensor) -> torch.Tensor:
    """Clips to latents `(B, z, (T-1)/4+1, H/16, W/16)`, not normalised."""
    return vae._encode(clips).chunk(2, dim=1)[0]


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
    return unpatchify(torch.cat(chunks, 2), patch_size=vae.config.patch_size)


def train_vae(folder: Path, steps: int, seed: int, z_dim: int = 4) -> AutoencoderKLWan:
    """Train encoder and decoder together; continues from the folder's last state."""
    torch.manual_seed(seed)
    vae = build_vae(z_dim)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    state = folder / "vae.pt"
    first = 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        vae.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first = saved["step"]
    start = time.monotonic()
    mean = 0.0
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = cosine_rate(step, steps)
        batch = draw_batch(np.random.default_rng((seed, step)))
        latents = encode_mean(vae, batch.clips)
        noisy = latents + LATENT_NOISE * torch.randn_like(latents)
        error = (decode_unclamped(vae, noisy) - batch.clips).abs()
        loss = (error * batch.weights).mean() + LATENT_DECAY * latents.square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        mean = 0.98 * mean + 0.02 * float(loss) if step > first else float(loss)
        if (step + 1) % 50 == 0 or step + 1 == steps:
            print(f"vae {step + 1}/{steps} loss {mean:.4f} {time.monotonic() - start:.0f}s", flush=True)
            torch.save(
                {"model": vae.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1},
                state,
            )
    return vae


def cosine_rate(step: int, steps: int) -> float:
    """Linear warm-up over 50 steps, then a cosine down to a twentieth of the peak."""
    if step < 50:
        return PEAK_RATE * (step + 1) / 50
    return PEAK_RATE * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))
