"""How the next segment is begun from the last frames of the one before: two ways, one interface."""

from typing import TYPE_CHECKING, Any, Protocol

from wan_pipelines.engines.denoising import Denoising, KnownStart, TextEmbeddings
from wan_pipelines.engines.requests import RenderRequest

if TYPE_CHECKING:
    import numpy as np
    import torch


class Continuation(Protocol):
    """A way to begin a clip whose first frames are `tail`, uint8 (frames, height, width, 3)."""

    def __call__(
        self,
        pipeline: Any,
        request: RenderRequest,
        text: TextEmbeddings,
        scheduler: Any,
        tail: "np.ndarray",
        /,
    ) -> Denoising: ...


def from_overlap(
    pipeline: Any, request: RenderRequest, text: TextEmbeddings, scheduler: Any, tail: "np.ndarray"
) -> Denoising:
    """With a text-to-video model: the clip's first latent frames are those of `tail`.

    They are held on their way from noise to what they are known to be, so that the other frames
    are drawn to go with them (RePaint, Lugmayr et al. 2022, without its repetitions). `tail` has
    4 k + 1 frames.
    """
    run = Denoising.begin(pipeline, request, text, scheduler)
    latents = encode(pipeline, tail).to(run.latents)
    run.known = KnownStart(latents, run.latents[:, :, : latents.shape[2]].clone())
    return run


def from_image(
    pipeline: Any, request: RenderRequest, text: TextEmbeddings, scheduler: Any, tail: "np.ndarray"
) -> Denoising:
    """With an image-to-video model: the clip's first frame is the last of `tail`."""
    from PIL import Image

    return Denoising.begin_from(pipeline, request, text, scheduler, Image.fromarray(tail[-1]))


def encode(pipeline: Any, frames: "np.ndarray") -> "torch.Tensor":
    """The latents of frames uint8 (4 k + 1, height, width, 3), as the experts see them."""
    import torch

    vae = pipeline.vae
    pixels = torch.from_numpy(frames.copy()).permute(3, 0, 1, 2).unsqueeze(0)
    pixels = pixels.to(pipeline._execution_device, dtype=vae.dtype) / 127.5 - 1
    found = vae.encode(pixels).latent_dist.mode()
    per_channel = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(per_channel).to(found)
    std = torch.tensor(vae.config.latents_std).view(per_channel).to(found)
    return (found - mean) / std
