"""A cache of encoded clips, so that the velocity networks never wait for pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from safetensors.torch import load_file, save_file

from training.vae import encode_mean
from training.world import FRAMES, SIZES, plot_course, render, training_scenes

FRAME_SHARES = {9: 0.25, 13: 0.25, 17: 0.25, 25: 0.15, 33: 0.1}
CLIPS_PER_CALL = 4


@dataclass(frozen=True, slots=True)
class Bucket:
    """Clips of one size and length: `latents (N, z, T', H', W')`, `scenes (N,)` as indices."""

    latents: torch.Tensor
    scenes: torch.Tensor
    size: tuple[int, int]
    frames: int


def encode_world(vae: AutoencoderKLWan, file: Path, clips: int, seed: int) -> None:
    """Draw and encode about `clips` clips over all sizes and lengths."""
    tensors: dict[str, torch.Tensor] = {}
    scenes = training_scenes()
    with torch.no_grad():
        for height, width in SIZES:
            for frames in FRAMES:
                rng = np.random.default_rng((seed, height, width, frames))
                count = round(clips * FRAME_SHARES[frames] / len(SIZES))
                chosen = rng.integers(len(scenes), size=count)
                parts = []
                for first in range(0, count, CLIPS_PER_CALL):
                    batch = [
                        _draw(scenes[index], (height, width), frames, rng)
                        for index in chosen[first : first + CLIPS_PER_CALL]
                    ]
                    pixels = torch.from_numpy(np.stack(batch)).permute(0, 4, 1, 2, 3)
                    parts.append(encode_mean(vae, pixels.float() / 127.5 - 1))
                name = _name((height, width), frames)
                tensors[f"{name}.latents"] = torch.cat(parts)
                tensors[f"{name}.scenes"] = torch.from_numpy(chosen)
                print(f"latents {name}: {count} clips", flush=True)
    save_file(tensors, file)


def _draw(scene, size, frames: int, rng: np.random.Generator) -> np.ndarray:
    return render(scene, plot_course(scene.motion, size, rng), size, np.linspace(0, 1, frames))[0]


def latent_statistics(file: Path) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each latent channel over the whole cache."""
    tensors = load_file(file)
    flat = torch.cat(
        [value.transpose(0, 1).flatten(1) for name, value in tensors.items() if "latents" in name],
        1,
    )
    return flat.mean(1).tolist(), flat.std(1).tolist()


def load_buckets(files: list[Path]) -> list[Bucket]:
    """The caches, normalised channel by channel with the statistics of the first."""
    mean, deviation = (
        torch.tensor(values).view(1, -1, 1, 1, 1) for values in latent_statistics(files[0])
    )
    loaded = [load_file(file) for file in files]
    keys = [(size, frames) for size in SIZES for frames in FRAMES]
    return [
        Bucket(
            latents=(torch.cat([one[f"{_name(*key)}.latents"] for one in loaded]) - mean)
            / deviation,
            scenes=torch.cat([one[f"{_name(*key)}.scenes"] for one in loaded]),
            size=key[0],
            frames=key[1],
        )
        for key in keys
    ]


def _name(size: tuple[int, int], frames: int) -> str:
    return f"{size[0]}x{size[1]}x{frames}"
