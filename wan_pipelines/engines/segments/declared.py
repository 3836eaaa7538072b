"""How a release says that it draws longer videos than it can draw at once."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from wan_pipelines.engines.options.caches import MagCache
from wan_pipelines.engines.release_parts import Tier, WeightsSpec
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.engines.segments.pieces import Piece, cut, derived_seed
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.records import Record

if TYPE_CHECKING:
    from wan_pipelines.engines.releases import Release


class SeamLimits(Record):
    """What two segments must have in common where they meet."""

    psnr_db: float = Field(
        default=28.0,
        ge=10,
        le=60,
        description="Least likeness of each frame that both segments drew, in decibels.",
    )
    motion: float = Field(
        default=2.0,
        gt=1,
        le=20,
        description="Most that the frames on both sides of a seam may differ, in multiples of what "
        "neighbouring frames of the two segments differ at most.",
    )
    attempts: int = Field(
        default=3,
        ge=1,
        le=8,
        description="How often a segment is drawn, each time with another seed, before the shot "
        "fails.",
    )


class ImageToVideo(Record):
    """A model that continues a clip from its last frame, and how it is used."""

    source: WeightsSpec = Field(
        description="Weights of a WanImageToVideoPipeline that sees no image but through its VAE.",
    )
    boundary_ratio: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Noise level of its change of experts.",
        examples=[0.9],
    )
    guidance: float | None = Field(
        default=None, ge=0, le=30, description="Of the high-noise expert; empty: the tier's."
    )
    guidance_2: float | None = Field(
        default=None, ge=0, le=30, description="Of the low-noise expert; empty: the tier's."
    )
    flow_shift: float | None = Field(
        default=None, gt=0, description="Shift of the noise schedule; empty: the tier's."
    )

    @model_validator(mode="after")
    def _here(self) -> Self:
        if isinstance(self.source, ServedWeights):
            raise ValueError("the weights that continue a clip must be at hand, not on a server")
        return self

    def sampling_changes(self, guided: bool) -> dict[str, float]:
        """Fields of `Sampling` that are other than the tier's; a tier without guidance has none."""
        changes: dict[str, float | None] = {"flow_shift": self.flow_shift}
        if guided:
            changes |= {"guidance": self.guidance, "guidance_2": self.guidance_2}
        return {name: value for name, value in changes.items() if value is not None}


class Segments(Record):
    """Segments of `frames` frames, of which the first `overlap` repeat the end of the one before.

    Without `image_to_video` the release's own model draws them all: it is shown the overlapping
    frames at each step, at the noise of that step.
    """

    frames: int = Field(gt=0, description="Frames of a segment.", examples=[81])
    overlap: int = Field(
        gt=0, description="Frames that a segment has in common with the one before.", examples=[17]
    )
    max: int = Field(gt=0, description="Most frames of a video.", examples=[321])
    seam: SeamLimits = Field(default=SeamLimits(), description="How seams are checked.")
    image_to_video: ImageToVideo | None = Field(
        default=None, description="Another model for all segments but the first."
    )

    def problems(self, release: "Release") -> list[str]:
        """One sentence each."""
        frames = release.frames
        found: list[str] = []
        if not frames.allows(self.frames):
            found.append(f"segments.frames {self.frames} is no length that the release draws")
        if not 0 < self.overlap < self.frames or (self.overlap - frames.offset) % frames.step:
            found.append(
                f"segments.overlap {self.overlap} is not {frames.step} * k + {frames.offset} below "
                f"segments.frames"
            )
        if self.max <= frames.max or (self.max - frames.offset) % frames.step:
            found.append(
                f"segments.max {self.max} is not {frames.step} * k + {frames.offset} above "
                "frames.max"
            )
        if self.image_to_video and self.overlap != 1:
            found.append("segments.image_to_video continues from one frame: set overlap to 1")
        if self.image_to_video and frames.min > 1 + frames.step:
            found.append(
                f"segments.image_to_video draws the last {1 + frames.step} frames alone if need "
                "be, which is less than frames.min"
            )
        if isinstance(release.source, ServedWeights):
            found.append("segments are drawn where the weights are; leave them to the server")
        return found

    def pieces(self, total: int, least: int) -> tuple[Piece, ...]:
        """The segments of a video of `total` frames; none has fewer than `least`."""
        return cut(total, frames=self.frames, overlap=self.overlap, least=least)

    def requests(self, request: RenderRequest, least: int) -> tuple[RenderRequest, ...]:
        """What is asked of the models for each segment, at the first attempt."""
        return tuple(
            replace(
                request,
                frames=piece.frames,
                seed=derived_seed(request.seed, index, 0),
                sampling=self._sampling(request.sampling) if index else request.sampling,
                segments="",
            )
            for index, piece in enumerate(self.pieces(request.frames, least))
        )

    def _sampling(self, sampling: Sampling) -> Sampling:
        """Of a segment that continues another."""
        if self.image_to_video is None:
            return sampling
        return replace(sampling, **self.image_to_video.sampling_changes(sampling.guidance > 1))

    def why_not(self, tier: Tier) -> str:
        """Why videos of that tier cannot have segments; empty if they can."""
        if self.image_to_video is None:
            return ""
        if tier.loras:
            return "its LoRAs belong to the weights that draw the first segment only"
        if isinstance(tier.cache, MagCache):
            return "its cache is calibrated for the weights that draw the first segment only"
        if tier.compiled == "always":
            return "the blocks of the model that continues a clip are not compiled"
        return ""

    def decisive(self, pin: dict[str, object] | None) -> dict[str, Any]:
        """All that decides pixels of a video of a given length; `pin` is of the other weights."""
        chosen = self.model_dump(exclude={"max": True, "image_to_video": {"source"}})
        return chosen | {"weights": pin}
