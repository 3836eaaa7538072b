"""What is counted from dimensions, against what PyTorch counts while the models compute."""

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.pipelines.wan.pipeline_wan import WanPipeline
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.published import A14B, TI2V_5B, WAN21_VAE, WAN22_VAE
from tests.support.releases import ARCHITECTURE
from wan_pipelines.engines.estimating import text_encoder, transformer, vae
from wan_pipelines.engines.estimating.architecture import Architecture
from wan_pipelines.engines.estimating.vae import Clip

TINY = Architecture.model_validate(ARCHITECTURE)
TEXT_TOKENS = 16


@pytest.fixture(scope="module")
def pipeline(tiny_folder: Path) -> Any:
    return WanPipeline.from_pretrained(tiny_folder)


def counted(compute: Any) -> int:
    """Floating-point operations of products and convolutions, as they are computed."""
    with (
        torch.no_grad(),
        sdpa_kernel(SDPBackend.MATH),  # the fused kernels of a CPU are not counted
        FlopCounterMode(display=False) as counter,
    ):
        compute()
    return counter.get_total_flops()


@pytest.mark.parametrize(("frames", "rows", "columns"), [(2, 4, 4), (3, 8, 4)])
def test_a_forward(pipeline: Any, frames: int, rows: int, columns: int) -> None:
    tokens = frames * rows * columns // 4
    latents = torch.zeros(1, 4, frames, rows, columns)
    text = torch.zeros(1, TEXT_TOKENS, 32)
    found = counted(lambda: pipeline.transformer(latents, torch.tensor([999]), text))
    shape = TINY.transformer
    expected = transformer.projection_flops(shape, tokens, TEXT_TOKENS)
    assert found == expected + transformer.attention_flops(shape, tokens, TEXT_TOKENS)


def test_a_forward_with_noise_levels_per_token(pipeline: Any) -> None:
    latents, text = torch.zeros(1, 4, 2, 4, 4), torch.zeros(1, TEXT_TOKENS, 32)
    times = torch.full((1, 8), 999)
    found = counted(lambda: pipeline.transformer(latents, times, text))
    shape = TINY.transformer.model_copy(update={"timestep_per_token": True})
    expected = transformer.projection_flops(shape, 8, TEXT_TOKENS)
    assert found == expected + transformer.attention_flops(shape, 8, TEXT_TOKENS)


def test_a_text(pipeline: Any) -> None:
    ids = torch.zeros(1, TEXT_TOKENS, dtype=torch.int64)
    found = counted(lambda: pipeline.text_encoder(ids))
    assert found == text_encoder.flops(TINY.text_encoder, TEXT_TOKENS)


@pytest.mark.parametrize("clip", [Clip(32, 32, 5), Clip(64, 32, 17)])
def test_a_decoding(pipeline: Any, clip: Clip) -> None:
    latents = torch.zeros(1, 4, (clip.frames - 1) // 4 + 1, clip.height // 8, clip.width // 8)
    found = counted(lambda: pipeline.vae.decode(latents))
    assert vae.decoder_flops(TINY.vae, clip) == pytest.approx(found, rel=0.02)


def test_a_decoding_in_tiles(pipeline: Any) -> None:
    clip = Clip(288, 208, 5)
    pipeline.vae.enable_tiling()
    found = counted(lambda: pipeline.vae.decode(torch.zeros(1, 4, 2, 26, 36)))
    pipeline.vae.disable_tiling()
    parts = vae.tiles(clip)
    assert [(part.width, part.height) for part in parts] == [
        (256, 208),
        (96, 208),
        (256, 16),
        (96, 16),
    ]
    assert sum(vae.decoder_flops(TINY.vae, part) for part in parts) == pytest.approx(
        found, rel=0.02
    )
    assert vae.tiles(Clip(256, 256, 5)) == (Clip(256, 256, 5),)


def test_the_numbers_of_the_published_models() -> None:
    with torch.device("meta"):
        expert = WanTransformer3DModel()
        small = WanTransformer3DModel(
            num_attention_heads=24, ffn_dim=14336, num_layers=30, in_channels=48, out_channels=48
        )
        vae21 = AutoencoderKLWan()
        vae22 = AutoencoderKLWan(
            base_dim=160,
            decoder_base_dim=256,
            z_dim=48,
            is_residual=True,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            latents_mean=[0.0] * 48,
            latents_std=[1.0] * 48,
        )
    assert transformer.parameters(A14B.transformer) == size(expert)
    assert transformer.parameters(TI2V_5B.transformer) == size(small)
    assert vae.parameters(WAN21_VAE) == size(vae21)
    assert vae.parameters(WAN22_VAE) == size(vae22)


def size(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
