"""What is estimated: a shot's work in numbers, freed of names and texts."""

from dataclasses import dataclass

from wan_pipelines.engines.estimating.architecture import Architecture
from wan_pipelines.engines.estimating.machines import Precision
from wan_pipelines.engines.estimating.models import Model
from wan_pipelines.engines.estimating.vae import Clip
from wan_pipelines.engines.options.tier_options import Offload


@dataclass(frozen=True, slots=True)
class Steps:
    """Denoising steps of each expert, and the forwards of a step (two where it is guided)."""

    high: int
    low: int
    forwards: int

    @property
    def total(self) -> int:
        return self.high + self.low


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a job is run, beside what it draws; what tiers declare arrives here.

    gpus: that share one shot (context parallel over tokens).
    offload: `model` keeps in GPU memory only the component that computes, `group` only two of its
        blocks, the next of which is fetched while one computes.
    sharded: weights are spread over the GPUs and gathered block by block (FSDP).
    weight_bytes: of a number of an expert in memory; text encoders are kept in 16 bits.
    vae_tiling: decode in tiles.
    adapters_bytes: low-rank weights that are held beside an expert's.
    adapters_used: they are added to every product, not fused into the expert.
    reused_share: of the blocks' work that a cache takes from an earlier step.
    text_encoder_seconds: set where the text is encoded elsewhere, by something known.
    """

    gpus: int = 1
    offload: Offload = "none"
    sharded: bool = False
    precision: Precision = "bfloat16"
    weight_bytes: int = 2
    vae_tiling: bool = False
    adapters_bytes: int = 0
    adapters_used: bool = False
    reused_share: float = 0.0
    text_encoder_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A shot, as far as seconds and bytes depend on it."""

    model: Model
    clip: Clip
    experts: int
    steps: Steps
    text_tokens: int
    options: Options = Options()

    @property
    def architecture(self) -> Architecture:
        return self.model.architecture

    @property
    def tokens(self) -> int:
        """Length of an expert's sequence: latents in patches."""
        vae, patch = self.architecture.vae, self.architecture.transformer.patch
        frames = (self.clip.frames - 1) // vae.temporal_factor + 1
        rows = self.clip.height // vae.spatial_factor
        columns = self.clip.width // vae.spatial_factor
        return (frames // patch[0]) * (rows // patch[1]) * (columns // patch[2])

    @property
    def texts(self) -> int:
        """Texts that are encoded: the negative prompt only where it is used."""
        return self.steps.forwards
