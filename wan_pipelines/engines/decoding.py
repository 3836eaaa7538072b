"""From latents to frames."""

from typing import TYPE_CHECKING, Any

from wan_pipelines.errors import RenderError

if TYPE_CHECKING:
    import numpy as np
    import torch


def decode(pipeline: Any, latents: "torch.Tensor") -> "np.ndarray":
    """uint8 (frames, height, width, 3), rounded as `WanPipeline` with `output_type="pil"` rounds.

    `latents` have the shape (1, channels, latent frames, height / 8, width / 8). RenderError when
    the VAE makes values of them that are not finite.
    """
    import numpy as np
    import torch

    vae = pipeline.vae
    latents = latents.to(pipeline._execution_device, dtype=vae.dtype)
    per_channel = (1, vae.config.z_dim, 1, 1, 1)
    mean = torch.tensor(vae.config.latents_mean).view(per_channel).to(latents)
    # The pipeline divides by the reciprocal; multiplying would differ in the last bit.
    inverse_std = 1.0 / torch.tensor(vae.config.latents_std).view(per_channel).to(latents)
    video = vae.decode(latents / inverse_std + mean, return_dict=False)[0]
    pipeline.maybe_free_model_hooks()
    if not torch.isfinite(video).all():
        raise RenderError(
            "The VAE decoded to values that are not finite. Render with another seed, or "
            "compute the VAE in float32.",
            stage="decode",
        )
    images = pipeline.video_processor.postprocess_video(video, output_type="np")[0]
    frames = np.empty(images.shape, dtype=np.uint8)
    for index, image in enumerate(images):
        frames[index] = (image * 255).round()
    return frames
