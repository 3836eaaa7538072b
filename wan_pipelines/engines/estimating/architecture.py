"""The dimensions of a pipeline's models: all that counting their work needs.

They stand in a release whose weights are fetched later, else in the configurations beside the
weights.
"""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from wan_pipelines.engines.pipeline_folder import read_config
from wan_pipelines.errors import WeightsError
from wan_pipelines.records import Record

MOST = 1_000_000
"""No dimension is larger; what says so is not a configuration."""


class TransformerShape(Record):
    """One expert: a diffusion transformer over patches of latents."""

    layers: int = Field(ge=1, le=1000, description="Blocks.", examples=[40])
    heads: int = Field(ge=1, le=1000, description="Attention heads.", examples=[40])
    head_dim: int = Field(ge=1, le=4096, description="Width of a head.", examples=[128])
    ffn_dim: int = Field(ge=1, le=MOST, description="Inner width of the FFN.", examples=[13824])
    text_dim: int = Field(ge=1, le=MOST, description="Width of the text.", examples=[4096])
    channels: int = Field(ge=1, le=4096, description="Latent channels, in and out.", examples=[16])
    patch: tuple[int, ...] = Field(
        default=(1, 2, 2),
        min_length=3,
        max_length=3,
        description="Latent frames, rows and columns of a token.",
    )
    frequencies: int = Field(
        default=256, ge=1, le=MOST, description="Sinusoids of a timestep.", examples=[256]
    )
    timestep_per_token: bool = Field(
        default=False, description="Is every token given a noise level of its own (TI2V)?"
    )

    @property
    def width(self) -> int:
        """Channels of a token."""
        return self.heads * self.head_dim


class TextEncoderShape(Record):
    """A UMT5 encoder."""

    layers: int = Field(ge=1, le=1000, description="Blocks.", examples=[24])
    width: int = Field(ge=1, le=MOST, description="Channels of a token.", examples=[4096])
    heads: int = Field(ge=1, le=1000, description="Attention heads.", examples=[64])
    head_dim: int = Field(ge=1, le=4096, description="Width of a head.", examples=[64])
    ffn_dim: int = Field(ge=1, le=MOST, description="Inner width of the FFN.", examples=[10240])
    vocabulary: int = Field(ge=1, le=10_000_000, description="Tokens it knows.", examples=[256384])
    buckets: int = Field(
        default=32, ge=1, le=4096, description="Relative positions it tells apart."
    )


class VaeShape(Record):
    """A causal video VAE."""

    base: int = Field(ge=1, le=4096, description="Channels of the encoder's top.", examples=[96])
    decoder_base: int = Field(
        ge=1, le=4096, description="Channels of the decoder's top.", examples=[96]
    )
    latent: int = Field(ge=1, le=4096, description="Channels of the latents.", examples=[16])
    multipliers: tuple[int, ...] = Field(
        min_length=1, max_length=8, description="Channels per level, times the base."
    )
    blocks: int = Field(ge=1, le=16, description="Residual blocks of a level.", examples=[2])
    halves_time: tuple[bool, ...] = Field(
        max_length=7, description="Which levels of the encoder halve the frames as well."
    )
    residual: bool = Field(default=False, description="With shortcuts around levels (Wan 2.2)?")
    pixels: int = Field(
        default=1, ge=1, le=64, description="Side of the square of pixels it takes as one."
    )
    spatial_factor: int = Field(
        default=8, ge=1, le=256, description="Pixels of a latent's side.", examples=[8]
    )
    temporal_factor: int = Field(default=4, ge=1, le=64, description="Frames of a latent frame.")


class Architecture(Record):
    """Everything a release loads; its experts are alike."""

    transformer: TransformerShape = Field(description="An expert.")
    text_encoder: TextEncoderShape = Field(description="The text encoder.")
    vae: VaeShape = Field(description="The VAE.")


def has_configurations(folder: Path) -> bool:
    """Is there anything beside the weights that `read_architecture` would read?"""
    return (folder / "transformer" / "config.json").is_file()


def read_architecture(folder: Path) -> Architecture:
    """The dimensions that the configurations in `folder` tell; WeightsError for foreign ones."""
    transformer = read_config(folder / "transformer" / "config.json")
    text = read_config(folder / "text_encoder" / "config.json")
    vae = read_config(folder / "vae" / "config.json")
    index = read_config(folder / "model_index.json")
    try:
        return Architecture(
            transformer=_transformer(transformer, bool(index.get("expand_timesteps"))),
            text_encoder=_text_encoder(text),
            vae=_vae(vae),
        )
    except (KeyError, ValidationError, TypeError) as error:
        raise WeightsError(
            f"{folder}: the configurations are not those of a Wan pipeline ({error}). Use the "
            "published repository."
        ) from error


def _transformer(config: dict[str, Any], timestep_per_token: bool) -> TransformerShape:
    return TransformerShape(
        layers=config["num_layers"],
        heads=config["num_attention_heads"],
        head_dim=config["attention_head_dim"],
        ffn_dim=config["ffn_dim"],
        text_dim=config["text_dim"],
        channels=config["in_channels"],
        patch=tuple(config["patch_size"]),
        frequencies=config["freq_dim"],
        timestep_per_token=timestep_per_token,
    )


def _text_encoder(config: dict[str, Any]) -> TextEncoderShape:
    return TextEncoderShape(
        layers=config["num_layers"],
        width=config["d_model"],
        heads=config["num_heads"],
        head_dim=config["d_kv"],
        ffn_dim=config["d_ff"],
        vocabulary=config["vocab_size"],
        buckets=config["relative_attention_num_buckets"],
    )


def _vae(config: dict[str, Any]) -> VaeShape:
    return VaeShape(
        base=config["base_dim"],
        decoder_base=config.get("decoder_base_dim") or config["base_dim"],
        latent=config["z_dim"],
        multipliers=tuple(config["dim_mult"]),
        blocks=config["num_res_blocks"],
        halves_time=tuple(config["temperal_downsample"]),
        residual=config.get("is_residual", False),
        pixels=config.get("patch_size") or 1,
        spatial_factor=config.get("scale_factor_spatial", 8),
        temporal_factor=config.get("scale_factor_temporal", 4),
    )
