"""Options of one request on a warm pipeline: applied to it, and taken back after it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from wan_pipelines.engines.denoising import Denoising
from wan_pipelines.engines.options.caching import caching
from wan_pipelines.engines.options.tier_options import RequestOptions, VaeTiling

TILES = (
    "use_tiling",
    "tile_sample_min_height",
    "tile_sample_min_width",
    "tile_sample_stride_height",
    "tile_sample_stride_width",
)
"""What `enable_tiling` sets on diffusers' VAE of Wan; `disable_tiling` takes back the first."""


@contextmanager
def denoising_with(options: RequestOptions, run: Denoising) -> Iterator[None]:
    """Inside, the experts compute with the attention backend and the cache of `options`."""
    from diffusers.models.attention_dispatch import attention_backend

    with ExitStack() as stack:
        # `set_attention_backend` would change it for the whole process, and nothing takes it back.
        if options.attention_backend:
            stack.enter_context(attention_backend(options.attention_backend))
        stack.enter_context(caching(run, options.cache))
        yield


@contextmanager
def decoding_with(options: RequestOptions, vae: Any) -> Iterator[None]:
    """Inside, the VAE decodes in the tiles of `options`."""
    before = {name: getattr(vae, name) for name in TILES}
    if options.vae_tiling:
        tile(vae, options.vae_tiling)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(vae, name, value)


def tile(vae: Any, tiles: VaeTiling) -> None:
    vae.enable_tiling(
        tile_sample_min_height=tiles.tile_height,
        tile_sample_min_width=tiles.tile_width,
        tile_sample_stride_height=tiles.stride_height,
        tile_sample_stride_width=tiles.stride_width,
    )
