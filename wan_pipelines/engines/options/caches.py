"""Caches that reuse the work of earlier steps, with diffusers' names and defaults.

`diffusers.hooks` says what each does. Here is what it does not say about Wan, each found by trying:

- FasterCache and PyramidAttentionBroadcast keep one state for the forward with the text and the one
  without: with guidance each would get what the other has computed.
- FasterCache reads its cache before it has written it when an expert begins inside its range.
- TaylorSeer's own patterns match no module of Wan: without others it does nothing, silently.
- MagCache's ratios and steps are those of one expert, not of the whole schedule.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from wan_pipelines.records import Record

Timesteps = tuple[int, int]
Ratios = tuple[Annotated[float, Field(gt=0, lt=10)], ...]


class FirstBlockCache(Record):
    """Skips all blocks but the first where the first one's effect has hardly changed."""

    kind: Literal["first_block"] = Field(description="FirstBlockCache.")
    threshold: float = Field(
        default=0.05,
        gt=0,
        le=10,
        description="Relative change of the first block's effect below which the rest is reused.",
    )


class MagCache(Record):
    """Skips steps whose effect is known, from a calibration, to be much like that of the last."""

    kind: Literal["mag"] = Field(description="MagCache.")
    mag_ratios: Ratios = Field(
        min_length=1,
        description="Calibrated ratios of the high-noise expert, one a step; others are taken "
        "from the nearest.",
        examples=[[1.0, 0.98, 0.97]],
    )
    mag_ratios_2: Ratios = Field(
        default=(), description="Those of the low-noise expert; empty only if there is one expert."
    )
    threshold: float = Field(default=0.06, gt=0, le=10, description="Error that may add up.")
    max_skip_steps: int = Field(default=3, ge=1, description="Steps skipped in a row, at most.")
    retention_ratio: float = Field(
        default=0.2, ge=0, lt=1, description="Share of each expert's first steps never skipped."
    )


class SeaCache(Record):
    """Skips steps while the latents, filtered to what counts at their noise, change little."""

    kind: Literal["sea"] = Field(description="SeaCache.")
    threshold: float = Field(default=0.25, gt=0, le=10, description="Change that may add up.")
    residual_order: Literal[0, 1] = Field(
        default=1, description="0 reuses the last effect, 1 continues the line of the last two."
    )
    retention_steps: int = Field(default=1, ge=0, description="First steps never skipped.")
    cache_end_steps: int = Field(default=1, ge=0, description="Last steps never skipped.")
    max_consecutive_cached: int = Field(
        default=2, ge=0, description="Steps skipped in a row, at most; 0: any number."
    )
    power_exp: float = Field(default=3.0, gt=0, description="How steeply clean signals fall off.")


class TaylorSeerCache(Record):
    """Computes every few steps, and predicts the steps between from how features have changed."""

    kind: Literal["taylor_seer"] = Field(description="TaylorSeer.")
    cache_interval: int = Field(default=5, ge=2, description="Every how many steps to compute.")
    disable_cache_before_step: int = Field(
        default=3, ge=1, description="First steps of each expert that are all computed."
    )
    disable_cache_after_step: int | None = Field(
        default=None, ge=1, description="Step of each expert from which all are computed."
    )
    max_order: int = Field(default=1, ge=0, le=4, description="Order of the prediction.")
    taylor_factors_dtype: Literal["bfloat16", "float16", "float32"] = Field(
        default="bfloat16", description="Type in which features are kept."
    )
    use_lite_mode: bool = Field(
        default=False,
        description="Keep only what comes out in the end, not each block's features: at 720p these "
        "do not fit into any GPU.",
    )


class FasterCache(Record):
    """Reuses self-attention at every other step. Only where guidance is off."""

    kind: Literal["faster"] = Field(description="FasterCache.")
    spatial_attention_block_skip_range: int = Field(
        default=2, ge=2, description="Every how many steps attention is computed."
    )
    spatial_attention_timestep_skip_range: Timesteps = Field(
        default=(-1, 681), description="Timesteps between which it may be reused."
    )
    attention_weight: float = Field(
        default=0.5, ge=0, le=1, description="How far the trend of the last two is continued."
    )


class PyramidAttentionBroadcast(Record):
    """Reuses self- and cross-attention for some steps. Only where guidance is off."""

    kind: Literal["pyramid_attention_broadcast"] = Field(description="PyramidAttentionBroadcast.")
    spatial_attention_block_skip_range: int | None = Field(
        default=None, ge=2, description="Every how many steps self-attention is computed."
    )
    cross_attention_block_skip_range: int | None = Field(
        default=None, ge=2, description="Every how many steps cross-attention is computed."
    )
    spatial_attention_timestep_skip_range: Timesteps = Field(
        default=(100, 800), description="Timesteps between which self-attention may be reused."
    )
    cross_attention_timestep_skip_range: Timesteps = Field(
        default=(100, 800), description="Timesteps between which cross-attention may be reused."
    )

    @model_validator(mode="after")
    def _reuses_something(self) -> Self:
        ranges = self.spatial_attention_block_skip_range, self.cross_attention_block_skip_range
        if ranges == (None, None):
            raise ValueError(
                "set spatial_attention_block_skip_range or cross_attention_block_skip_range"
            )
        return self


Cache = Annotated[
    FirstBlockCache
    | MagCache
    | SeaCache
    | TaylorSeerCache
    | FasterCache
    | PyramidAttentionBroadcast,
    Field(discriminator="kind"),
]
