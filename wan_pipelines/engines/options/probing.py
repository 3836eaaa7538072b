"""Can this machine do what the tiers declare? Asked of diffusers itself, on next to nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any

from wan_pipelines.engines.fingerprint import Device
from wan_pipelines.engines.ladder.rungs import Rung
from wan_pipelines.engines.options.applied import TILES
from wan_pipelines.engines.options.caching import ExpertRun, cache_config
from wan_pipelines.engines.options.loading import quantisation_config
from wan_pipelines.errors import EngineError

if TYPE_CHECKING:
    from wan_pipelines.engines.release_parts import Tier
    from wan_pipelines.engines.releases import Release

OFFLOADS = {"model": "enable_model_cpu_offload", "group": "enable_group_offload"}
"""What diffusers calls them."""


def check_options(release: "Release", device: Device) -> None:
    """EngineError names the tier, the option and the reason; nothing of the weights is needed.

    Imports torch and diffusers only if a tier has an option that they must know.
    """
    for name, tier in release.tiers.items():
        if tier.cache:
            with _told(release, f"cache {tier.cache.kind} of tier {name}"):
                _try_cache(tier)
        if tier.attention_backend:
            with _told(release, f"attention_backend {tier.attention_backend} of tier {name}"):
                _try_attention(tier.attention_backend, release.dtype, device)
        if tier.quantisation:
            with _told(release, f"quantisation {tier.quantisation} of tier {name}"):
                quantisation_config(tier.quantisation, ["transformer"])
    for rung in release.ladder:
        with _told(release, f"rung {rung.name} of the ladder"):
            _try_rung(rung)


@contextmanager
def _told(release: "Release", what: str) -> Iterator[None]:
    try:
        yield
    except (AttributeError, ImportError, RuntimeError, TypeError, ValueError, EngineError) as error:
        raise EngineError(
            f"{release.name}: {what} does not work here: {error} Install what is missing, or take "
            "it out of the release."
        ) from error


def _try_rung(rung: Rung) -> None:
    """Has diffusers' pipeline of Wan what the rung calls?"""
    if rung.vae_tiling:
        from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

        tiles = dict.fromkeys(TILES[1:], 1)
        signature(AutoencoderKLWan.enable_tiling).bind(None, **tiles)
    if rung.offload:
        from diffusers.pipelines.wan.pipeline_wan import WanPipeline

        getattr(WanPipeline, OFFLOADS[rung.offload])


def _try_cache(tier: "Tier") -> None:
    """On an expert of no size, without weights."""
    for is_high_noise in (True, False):
        part = ExpertRun(is_high_noise, tier.steps, lambda: 0.0)
        _smallest_expert().enable_cache(cache_config(tier.cache, part))


def _smallest_expert() -> Any:
    import torch
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

    with torch.device("meta"):
        return WanTransformer3DModel(
            num_attention_heads=1,
            attention_head_dim=12,
            in_channels=1,
            out_channels=1,
            text_dim=4,
            freq_dim=4,
            ffn_dim=4,
            num_layers=2,
        )


def _try_attention(backend: str, dtype: str, device: Device) -> None:
    """A few tokens, in the type and on the device that will be used."""
    import torch
    from diffusers.models.attention_dispatch import attention_backend, dispatch_attention_fn

    tokens = torch.zeros(1, 128, 1, 128, dtype=getattr(torch, dtype), device=device)
    with attention_backend(backend):
        dispatch_attention_fn(tokens, tokens, tokens)
