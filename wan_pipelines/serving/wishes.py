"""What a client may ask for, checked against what the release can draw.

The names are OpenAI's (`prompt`, `model`, `seconds`, `size`) and those that other servers of
diffusion models take besides (`seed`, `negative_prompt`, `num_inference_steps`, `guidance_scale`,
`num_frames`, `fps`, ...). A name that is not known is refused: it would change nothing.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from wan_pipelines.campaigns.texts import not_blank, without_controls
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.records import Record
from wan_pipelines.serving.problems import bad_request

PROMPT_CHARACTERS = 4096
MOST_STEPS = 100
"""Steps that may be asked for, unless a tier of the release has more."""
SEEDS = 2**32

Text = Annotated[
    str, StringConstraints(max_length=PROMPT_CHARACTERS), AfterValidator(without_controls)
]
Guidance = Annotated[float, Field(ge=0, le=30, allow_inf_nan=False)]


class Wish(Record):
    """The body of `POST /v1/videos`; what is left out is the release's choice."""

    prompt: Annotated[Text, StringConstraints(min_length=1), AfterValidator(not_blank)]
    model: str | None = None
    size: Annotated[str, StringConstraints(pattern=r"^\d{1,5}x\d{1,5}$")] | None = None
    width: Annotated[int, Field(gt=0)] | None = None
    height: Annotated[int, Field(gt=0)] | None = None
    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None
    num_frames: Annotated[int, Field(gt=0)] | None = None
    fps: Annotated[int, Field(ge=1, le=120)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    negative_prompt: Text | None = None
    tier: str | None = None
    num_inference_steps: Annotated[int, Field(ge=1)] | None = None
    guidance_scale: Guidance | None = None
    guidance_scale_2: Guidance | None = None
    flow_shift: Annotated[float, Field(gt=0, le=100)] | None = None
    lossless: bool = False
    user: Annotated[str, StringConstraints(max_length=256)] | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """The wish in a body's fields; a Refusal names the first that is wrong."""
        if fields.get("input_reference") is not None:
            raise bad_request("This server draws from text only.", "input_reference")
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            name = ".".join(map(str, first["loc"]))
            known = f" Known are: {', '.join(cls.model_fields)}."
            hint = known if first["type"] == "extra_forbidden" else ""
            raise bad_request(f"{name}: {first['msg']}.{hint}", name) from None

    @property
    def digest(self) -> str:
        """sha256 hex: equal for requests that ask for the same."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Order:
    """A wish made definite: the same order gives the same pixels."""

    request: RenderRequest
    fps: int
    lossless: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "request": self.request.to_json(),
            "fps": self.fps,
            "lossless": self.lossless,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(RenderRequest.from_json(data["request"]), data["fps"], data["lossless"])


def order_of(wish: Wish, release: Release) -> Order:
    """What to render; a Refusal for what the release cannot draw names what it can."""
    if wish.model not in (None, release.name):
        raise bad_request(
            f"The model {wish.model!r} is not served here; {release.name!r} is.", "model"
        )
    fps = wish.fps or release.fps
    width, height = _size(wish, release)
    negative = wish.negative_prompt
    frames = _frames(wish, release, fps)
    request = RenderRequest(
        release=release.name,
        release_identity=release.identity,
        prompt=wish.prompt,
        negative_prompt=release.default_negative_prompt if negative is None else negative,
        seed=secrets.randbelow(SEEDS) if wish.seed is None else wish.seed,
        width=width,
        height=height,
        frames=frames,
        sampling=_sampling(wish, release),
        segments=release.segments_text(frames),
    )
    return Order(request, fps, wish.lossless)


def _size(wish: Wish, release: Release) -> tuple[int, int]:
    offered = [(size.width, size.height) for size in release.sizes.offered]
    if wish.size:
        width, height = (int(side) for side in wish.size.split("x"))
    elif wish.width or wish.height:
        width, height = wish.width or 0, wish.height or 0
    else:
        return offered[0]
    if (width, height) not in offered:
        sizes = ", ".join(f"{width}x{height}" for width, height in offered)
        raise bad_request(
            f"{release.name} does not draw {width}x{height}. It draws {sizes}.", "size"
        )
    return width, height


def _frames(wish: Wish, release: Release, fps: int) -> int:
    """`num_frames` to the frame; `seconds` to the nearest length that the release draws."""
    limits = release.frames
    if wish.num_frames is not None:
        frames, param = wish.num_frames, "num_frames"
    elif wish.seconds is not None:
        steps = round((wish.seconds * fps - limits.offset) / limits.step)
        frames, param = limits.step * steps + limits.offset, "seconds"
    else:
        return limits.default
    if not release.draws(frames):
        most = release.most_frames
        raise bad_request(
            f"{release.name} does not draw {frames} frames. It draws {limits.step} * k + "
            f"{limits.offset} frames from {limits.min} to {most}: {limits.min / fps:g} to "
            f"{most / fps:g} seconds at {fps} frames a second.",
            param,
        )
    tier = wish.tier or release.default_tier
    reason = release.why_not_long(tier) if tier in release.tiers else ""
    if reason and frames > limits.max:
        raise bad_request(f"Tier {tier} draws at most {limits.max} frames: {reason}.", param)
    return frames


def _sampling(wish: Wish, release: Release) -> Sampling:
    tier = wish.tier or release.default_tier
    if tier not in release.tiers:
        offered = ", ".join(release.tiers)
        raise bad_request(f"There is no tier {tier!r}. {release.name} has {offered}.", "tier")
    most = max(MOST_STEPS, *(tier.steps for tier in release.tiers.values()))
    if (wish.num_inference_steps or 0) > most:
        raise bad_request(f"At most {most} steps are rendered here.", "num_inference_steps")
    sampling = release.sampling(tier)
    asked = {
        "steps": wish.num_inference_steps,
        "guidance": wish.guidance_scale,
        # As in diffusers, one guidance that is asked for holds for both experts.
        "guidance_2": wish.guidance_scale
        if wish.guidance_scale_2 is None
        else wish.guidance_scale_2,
        "flow_shift": wish.flow_shift,
    }
    return replace(sampling, **{name: value for name, value in asked.items() if value is not None})
