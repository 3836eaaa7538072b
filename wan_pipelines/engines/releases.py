"""A release: a pinned model, what it can draw, in which tiers, and what it needs to run."""

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from wan_pipelines.engines.estimating.architecture import Architecture
from wan_pipelines.engines.ladder.rungs import Ladder, check_lighter
from wan_pipelines.engines.needs import Needs
from wan_pipelines.engines.options.checks import problems
from wan_pipelines.engines.options.tier_options import EngineOptions, Loading
from wan_pipelines.engines.release_parts import (
    NAME,
    Dtype,
    Facts,
    Frames,
    HubWeights,
    Lora,
    MirroredWeights,
    SchedulerName,
    Sizes,
    Tier,
    WeightsSpec,
)
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.engines.segments.declared import Segments
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.engines.sourcing import continuing_source, model_source, source_of
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.places import project_root
from wan_pipelines.records import Record
from wan_pipelines.weights.mirrored import Supply
from wan_pipelines.weights.sources import WeightsSource
from wan_pipelines.yaml_source import read_component

COMPONENT = "wan_pipelines.components.ModelRelease"
IDENTITY_VERSION = "wan-release-identity/1"
NOTHING_FETCHED = Supply()


class Release(Record):
    """Attributes of `assets/models/<name>/defs.yaml`."""

    name: str = Field(pattern=NAME, description="Name briefs refer to.", examples=["wan-tiny"])
    title: str = Field(min_length=1, description="Name for people.", examples=["Wan 2.2 T2V A14B"])
    description: str = Field(default="", description="What it draws, and how well.")
    licence: str = Field(
        min_length=1,
        description="SPDX identifier of the weights' licence.",
        examples=["Apache-2.0"],
    )
    source: WeightsSpec = Field(
        description="Where the weights come from.", examples=[{"package": "wan-tiny"}]
    )
    dtype: Dtype = Field(
        default="bfloat16", description="Type in which experts and text encoder compute."
    )
    vae_dtype: Dtype = Field(default="float32", description="Type in which the VAE computes.")
    boundary_ratio: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Noise level at which the low-noise expert takes over; empty: one expert.",
        examples=[0.875],
    )
    vae_tiling: bool = Field(
        default=False, description="Decode in tiles: less memory, slightly different pixels."
    )
    offload: Literal["none", "model"] = Field(
        default="none",
        description="`model` keeps the components that rest in host memory: less GPU memory, "
        "the same pixels, some seconds a shot.",
    )
    scheduler: SchedulerName = Field(default="unipc", description="Solver of the flow.")
    flow_shift: float = Field(
        default=5.0, gt=0, description="Shift of the noise schedule.", examples=[12.0]
    )
    max_sequence_length: int = Field(
        default=512, ge=1, le=4096, description="Text tokens, padded and cut to this length."
    )
    default_negative_prompt: str = Field(
        default="", description="Negative prompt where a brief names none."
    )
    sizes: Sizes = Field(description="Widths and heights.")
    frames: Frames = Field(description="Lengths.")
    segments: Segments | None = Field(
        default=None,
        description="How longer videos are drawn, in segments that continue each other; empty: "
        "none are.",
    )
    fps: int = Field(ge=1, le=120, description="Frames a second it was trained on.", examples=[16])
    tiers: dict[str, Tier] = Field(min_length=1, description="Quality tiers by name.")
    default_tier: str = Field(description="Tier where a brief names none.", examples=["standard"])
    ladder: Ladder = Field(
        default=(),
        description="What is done, in this order, when memory or time runs out; each rung adds to "
        "those above it. Empty: such shots fail.",
        examples=[[{"name": "tiles", "vae_tiling": {}}, {"name": "offload", "offload": "group"}]],
    )
    scorer: Literal["tiny-world"] | None = Field(
        default=None,
        description="What measures whether its videos show what their prompts ask for.",
    )
    needs: Needs = Field(default=Needs(), description="What the machine must have.")
    architecture: Architecture | None = Field(
        default=None,
        description="Dimensions of the models, from which seconds and memory are counted. Weights "
        "that are fetched need them; others say so themselves.",
    )
    facts: Facts = Field(default=Facts(), description="Parameters and memory.")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.default_tier not in self.tiers:
            raise ValueError(
                f"default_tier {self.default_tier!r} is none of tiers: {', '.join(self.tiers)}"
            )
        for name, tier in self.tiers.items():
            if self.boundary_ratio is None and tier.guidance_2 is not None:
                raise ValueError(f"tiers.{name}.guidance_2 needs a boundary_ratio")
        for problem in (*problems(self), *(self.segments.problems(self) if self.segments else ())):
            raise ValueError(problem)
        if self.architecture is None and isinstance(self.source, (HubWeights, MirroredWeights)):
            raise ValueError(
                "weights of a repository or mirror need an `architecture`, the dimensions in their "
                "config.json files, because what a shot takes is told before they are fetched: "
                "assets/models/wan2.2-t2v-a14b shows one"
            )
        return self

    @model_validator(mode="after")
    def _leaves_to_the_server_what_is_its(self) -> Self:
        if isinstance(self.source, ServedWeights):
            if self.architecture is None:
                raise ValueError(
                    "weights of a server need an architecture: what a shot takes is told before it "
                    "is asked"
                )
            for name, tier in self.tiers.items():
                if tier.loras or tier.engine_options.text or tier.request_options.text:
                    raise ValueError(
                        f"tiers.{name}: LoRAs and how a model is loaded and run are the server's; "
                        "ask it for what it offers by the source's `parameters`"
                    )
        return self

    @cached_property
    def identity(self) -> str:
        """sha256 hex of what decides pixels besides a request: weights, types, boundary, tiling.

        Reads the manifest of weights that are pinned by content; WeightsError when it is missing.
        """
        decisive = {
            "version": IDENTITY_VERSION,
            "weights": self._pin_of(self.source),
            "dtype": self.dtype,
            "vae_dtype": self.vae_dtype,
            "boundary_ratio": self.boundary_ratio,
            "vae_tiling": self.vae_tiling,
        }
        return _digest(decisive)

    def sampling(self, tier: str) -> Sampling:
        """The numbers of a tier; InputError for an unknown name."""
        if tier not in self.tiers:
            raise InputError(
                f"tier {tier!r} is not offered.",
                where=f"release {self.name}",
                remedy=did_you_mean(tier, self.tiers),
            )
        chosen = self.tiers[tier]
        guidance_2 = chosen.guidance if chosen.guidance_2 is None else chosen.guidance_2
        return Sampling(
            steps=chosen.steps,
            guidance=chosen.guidance,
            guidance_2=guidance_2,
            flow_shift=chosen.flow_shift or self.flow_shift,
            scheduler=chosen.scheduler or self.scheduler,
            max_sequence_length=self.max_sequence_length,
            loras=loras_digest(chosen.loras),
            engine=chosen.engine_options.text,
            options=chosen.request_options.text,
        )

    @property
    def most_frames(self) -> int:
        return self.segments.max if self.segments else self.frames.max

    def draws(self, frames: int) -> bool:
        """Can it draw a video of so many frames, at once or in segments?"""
        longest = self.frames.model_copy(update={"max": self.most_frames})
        return longest.allows(frames)

    @cached_property
    def segmentation(self) -> str:
        """All that decides pixels of its long videos, as canonical JSON; empty without segments."""
        if self.segments is None:
            return ""
        image = self.segments.image_to_video
        pin = self._pin_of(image.source) if image else None
        return json.dumps(self.segments.decisive(pin), sort_keys=True, separators=(",", ":"))

    def segments_text(self, frames: int) -> str:
        """`RenderRequest.segments` of a video of so many frames."""
        return self.segmentation if frames > self.frames.max else ""

    def why_not_long(self, tier: str) -> str:
        """Why videos of a tier cannot have segments; empty if they can."""
        return self.segments.why_not(self.tiers[tier]) if self.segments else ""

    def pieces(self, request: RenderRequest) -> tuple[RenderRequest, ...]:
        """What is asked of the model: the request itself, or one for each of its segments."""
        if not request.segments or self.segments is None:
            return (request,)
        return self.segments.requests(request, self.frames.min)

    def loras(self, digest: str) -> tuple[Lora, ...]:
        """The low-rank weights that `Sampling.loras` stands for; empty for an empty digest."""
        if not digest:
            return ()
        for tier in self.tiers.values():
            if loras_digest(tier.loras) == digest:
                return tier.loras
        raise InputError(
            f"no tier has the LoRAs {digest}.",
            where=f"release {self.name}",
            remedy="Plan the shot again: the release has changed since.",
        )

    def loading(self, engine: str = "") -> Loading:
        """What `Sampling.engine` stands for, and where that engine's models rest."""
        for tier in self.tiers.values():
            if tier.engine_options.text == engine:
                return self.loading_of(tier)
        if not engine:
            return Loading(EngineOptions(), self.offload)
        raise InputError(
            f"no tier loads an engine with {engine}.",
            where=f"release {self.name}",
            remedy="Plan the shot again: the release has changed since.",
        )

    def loading_of(self, tier: Tier) -> Loading:
        return Loading(tier.engine_options, tier.offload or self.offload, tier.group_offload)

    @property
    def all_loras(self) -> tuple[Lora, ...]:
        """The low-rank weights of all tiers, each once."""
        return tuple(dict.fromkeys(lora for tier in self.tiers.values() for lora in tier.loras))

    def weights_source(self, supply: Supply = NOTHING_FETCHED) -> WeightsSource:
        """Where `ensure` gets the weights from."""
        return model_source(self, supply)

    def continuing_source(self, supply: Supply = NOTHING_FETCHED) -> WeightsSource | None:
        """As `weights_source`, of the image-to-video model of its segments; None without."""
        return continuing_source(self, supply)

    def _pin_of(self, source: WeightsSpec) -> dict[str, object]:
        if isinstance(source, ServedWeights):
            return source.pin
        if isinstance(source, HubWeights):
            return {"repository": source.repository, "revision": source.revision}
        if isinstance(source, MirroredWeights):
            return {"content": source.content}
        weights = source_of(self, source, NOTHING_FETCHED, self.name)
        return {"content": weights.ensure(project_root()).manifest.digest}


def read_release(path: Path) -> Release:
    """The release of one defs.yaml; InputError names file, line, field, value and remedy."""
    return read_component(path, Release, COMPONENT)


def read_releases(assets: Path) -> dict[str, Release]:
    """All releases below `<assets>/models`, by name; a name used twice is an InputError."""
    releases: dict[str, Release] = {}
    paths = sorted((assets / "models").glob("*/defs.yaml"))
    for path in paths:
        release = read_release(path)
        if release.name in releases:
            raise InputError(
                f"there is another release of the name {release.name!r}.",
                where=str(path),
                remedy="Give each release a name of its own.",
            )
        releases[release.name] = release
    for path, release in zip(paths, releases.values(), strict=True):
        check_lighter(release, releases, where=str(path))
    return releases


def loras_digest(loras: tuple[Lora, ...]) -> str:
    """sha256 hex of what LoRAs do to pixels; empty for none."""
    if not loras:
        return ""
    return _digest(
        [[lora.expert, lora.repository, lora.revision, lora.file, lora.scale] for lora in loras]
    )


def _digest(decisive: Any) -> str:
    return hashlib.sha256(
        json.dumps(decisive, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()
