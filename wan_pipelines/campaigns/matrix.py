"""What every prompt of a brief is combined with: variables, shapes and seeds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.frames import Clip, check_frames, clips
from wan_pipelines.campaigns.naming import prompt_name, shot_name, variant_seed
from wan_pipelines.campaigns.prompts import Prompt, Values
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.campaigns.templates import combinations, filled, variables_in
from wan_pipelines.campaigns.texts import normalised
from wan_pipelines.campaigns.whereabouts import PlacedPrompt, Whereabouts
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.hints import did_you_mean
from wan_pipelines.validation import shown


@dataclass(frozen=True, slots=True)
class Matrix:
    """What the prompts of a brief are combined with."""

    brief: Brief
    release: Release
    identity: str
    tier: str
    sampling: Sampling
    clips: tuple[Clip, ...]
    negative_prompt: str

    def shots_of(self, placed: PlacedPrompt) -> Iterator[Shot]:
        """The shots of one prompt; their names are not yet unique."""
        prompt = placed.prompt
        shapes = self.clips_of(placed)
        negative_prompt = self.negative_prompt
        if prompt.negative_prompt is not None:
            negative_prompt = normalised(prompt.negative_prompt)
        for values in combinations(*self.values_of(placed)):
            text = normalised(filled(prompt.prompt, values))
            if not text:
                raise placed.place.error(("prompt",), "is empty with these values.", "Write words.")
            name = prompt_name(prompt.name, text, values.values())
            for clip, seed in product(shapes, self.seeds_of(prompt, name)):
                request = RenderRequest(
                    release=self.release.name,
                    release_identity=self.identity,
                    prompt=text,
                    negative_prompt=negative_prompt,
                    seed=seed,
                    width=clip.width,
                    height=clip.height,
                    frames=clip.frames,
                    sampling=self.sampling,
                    segments=self.release.segments_text(clip.frames),
                )
                yield Shot(
                    name=shot_name(name, clip.name, seed),
                    request=request,
                    tier=self.tier,
                    fps=clip.fps,
                    renditions=self.brief.renditions,
                    variables=values,
                )

    def clips_of(self, placed: PlacedPrompt) -> tuple[Clip, ...]:
        if placed.prompt.shapes is None:
            return self.clips
        found = clips(placed.prompt.shapes, self.brief, self.release, placed.place)
        _check_segments(found, self.release, self.tier, placed.place)
        return found

    def seeds_of(self, prompt: Prompt, name: str) -> Sequence[int]:
        variants = range(self.brief.variants or 1)
        return (
            prompt.seeds
            or self.brief.seeds
            or [variant_seed(self.brief.name, name, variant) for variant in variants]
        )

    def values_of(self, placed: PlacedPrompt) -> tuple[tuple[str, ...], Mapping[str, Values]]:
        """The variables of a prompt in the order they appear, and all values that are known."""
        values = {**self.brief.variables, **placed.prompt.variables}
        names = variables_in(placed.prompt.prompt)
        for name in names:
            if name not in values:
                raise placed.place.error(
                    ("prompt",),
                    f"uses the variable {name!r}, which has no values.",
                    f"List them under `variables`. {did_you_mean(name, values)}",
                )
        return names, values

    def count(self, placed: PlacedPrompt) -> int:
        """How many shots a prompt becomes."""
        names, values = self.values_of(placed)
        seeds = placed.prompt.seeds or self.brief.seeds
        shapes = self.clips if placed.prompt.shapes is None else placed.prompt.shapes
        combined = prod(len(values[name]) for name in names)
        return combined * len(shapes) * (len(seeds) if seeds else self.brief.variants or 1)


def matrix_of(brief: Brief, release: Release, place: Whereabouts) -> Matrix:
    """What a brief asks for, looked up in what the release offers."""
    tier = brief.tier or release.default_tier
    if tier not in release.tiers:
        raise place.error(
            ("tier",),
            f"is {shown(tier)}, which {release.name} does not offer.",
            did_you_mean(tier, release.tiers),
        )
    if brief.frames is not None:
        check_frames(brief.frames, release, place, ("frames",))
    given = brief.negative_prompt
    shapes = clips(brief.shapes, brief, release, place)
    _check_segments(shapes, release, tier, place)
    return Matrix(
        brief=brief,
        release=release,
        identity=release.identity,
        tier=tier,
        sampling=release.sampling(tier),
        clips=shapes,
        negative_prompt=normalised(release.default_negative_prompt if given is None else given),
    )


def _check_segments(
    shapes: Sequence[Clip], release: Release, tier: str, place: Whereabouts
) -> None:
    """InputError for a clip that is longer than the release draws at once in this tier."""
    reason = release.why_not_long(tier)
    for clip in shapes:
        if reason and clip.frames > release.frames.max:
            raise place.error(
                ("frames",),
                f"is {clip.frames}, and tier {tier} draws at most {release.frames.max}: {reason}.",
                "Choose another tier, or fewer frames.",
            )
