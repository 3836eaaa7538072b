"""A pipeline of Wan's real classes with random weights: small, made in a moment, draws noise."""

from pathlib import Path
from typing import Any

import pytest

from wan_pipelines.weights.manifest import Manifest

CHANNELS = 4
TEXT_WIDTH = 32
WORDS = ("a", "red", "ball", "blue", "box", "rising", "falling", "moving", "on", "black")
BOUNDARY = 0.875
IMAGE_BOUNDARY = 0.9


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with random weights and its manifest; not to be changed."""
    return write_tiny_pipeline(tmp_path_factory.mktemp("tiny") / "pipeline")


def write_tiny_pipeline(folder: Path, *, heads: int = 2) -> Path:
    """Saves the pipeline with its manifest; the same bytes every time."""
    import torch

    torch.manual_seed(20)
    build_tiny_pipeline(heads).save_pretrained(folder, safe_serialization=True)
    Manifest.build(folder, release="sample", dtype="float32").write(folder)
    return folder


def build_tiny_pipeline(heads: int = 2) -> Any:
    from diffusers.pipelines.wan.pipeline_wan import WanPipeline
    from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

    scheduler: Any = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    return WanPipeline(
        tokenizer=_tokenizer(),
        text_encoder=_text_encoder(),
        vae=_vae(),
        scheduler=scheduler,
        transformer=build_expert(heads),
        transformer_2=build_expert(heads),
        boundary_ratio=BOUNDARY,
    )


def build_expert(heads: int = 2, layers: int = 2, channels: int = CHANNELS) -> Any:
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=heads,
        attention_head_dim=12,
        in_channels=channels,
        out_channels=CHANNELS,
        text_dim=TEXT_WIDTH,
        freq_dim=32,
        ffn_dim=48,
        num_layers=layers,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )


def _tokenizer() -> Any:
    from transformers import T5Tokenizer

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -6.0)]
    words = [(f"▁{word}", -2.0) for word in WORDS]
    letters = [(letter, -9.0) for letter in "abcdefghijklmnopqrstuvwxyz"]
    return T5Tokenizer(vocab=special + words + letters, extra_ids=0, model_max_length=512)


def _text_encoder() -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    return UMT5EncoderModel(
        UMT5Config(
            vocab_size=64,
            d_model=TEXT_WIDTH,
            d_kv=16,
            d_ff=64,
            num_layers=1,
            num_heads=2,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
        )
    )


def _vae() -> Any:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=4,
        decoder_base_dim=4,
        z_dim=CHANNELS,
        dim_mult=[1, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=8,
        scale_factor_temporal=4,
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[1.3, 0.7, 0.9, 1.1],
    )


def write_tiny_image_pipeline(folder: Path) -> Path:
    """A `WanImageToVideoPipeline` with random weights, as of Wan 2.2: it sees images by its VAE."""
    import torch

    torch.manual_seed(21)
    build_tiny_image_pipeline().save_pretrained(folder, safe_serialization=True)
    Manifest.build(folder, release="sample-i2v", dtype="float32").write(folder)
    return folder


def build_tiny_image_pipeline() -> Any:
    from diffusers.pipelines.wan.pipeline_wan_i2v import WanImageToVideoPipeline

    whole = build_tiny_pipeline()
    # Latents, one mask for each frame of a latent frame, and the latents of the image.
    shown = 2 * CHANNELS + 4
    nothing: Any = None
    return WanImageToVideoPipeline(
        tokenizer=whole.tokenizer,
        text_encoder=whole.text_encoder,
        vae=whole.vae,
        scheduler=whole.scheduler,
        transformer=build_expert(channels=shown),
        transformer_2=build_expert(channels=shown),
        image_encoder=nothing,
        image_processor=nothing,
        boundary_ratio=IMAGE_BOUNDARY,
    )
