"""What engines are measured with: the three ways in which videos are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final, Literal

from wan_pipelines.engines.release_parts import Size
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.pages.bench import ScenarioView

ScenarioName = Literal["short", "template", "long"]
SCENARIOS: Final[tuple[ScenarioName, ...]] = ("short", "template", "long")
FIRST_SEED = 1
LONG_SHARE = 4
"""A long video is worth so many of the others."""

WORLD = (
    "a red ball moving left to right on a black background",
    "a blue box rising on a white background",
    "a yellow ball growing on a gray background",
    "a green box moving right to left on a white background",
)
STREET = (
    "A cyclist crosses a wet street at night, neon signs reflected in the puddles.",
    "Steam rises from a bowl of noodles on a wooden table, close-up, morning light.",
    "A red kite climbs over a green hill, the camera follows it from below.",
    "Two otters play in a clear stream, slow motion, sun through the leaves.",
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`videos` of one shape; with a `template`, of one prompt."""

    name: ScenarioName
    title: str
    what: str
    size: Size
    frames: int
    videos: int
    template: bool = False

    def requests(self, release: Release, tier: str) -> Iterator[RenderRequest]:
        """The first is for warming up; then `videos` more, each with another seed."""
        known = WORLD if release.scorer == "tiny-world" else STREET
        prompts = known[:1] if self.template else known
        for seed, prompt in enumerate(islice(cycle(prompts), self.videos + 1), FIRST_SEED):
            yield RenderRequest(
                release=release.name,
                release_identity=release.identity,
                prompt=prompt,
                negative_prompt=release.default_negative_prompt,
                seed=seed,
                width=self.size.width,
                height=self.size.height,
                frames=self.frames,
                sampling=release.sampling(tier),
                segments=release.segments_text(self.frames),
            )

    def view(self) -> ScenarioView:
        return ScenarioView(
            name=self.name,
            title=self.title,
            what=self.what,
            width=self.size.width,
            height=self.size.height,
            frames=self.frames,
            videos=self.videos,
        )


def scenarios(release: Release, videos: int) -> tuple[Scenario, ...]:
    """For a release, from the least work a video to the most."""
    offered, frames = release.sizes.offered, release.frames
    smallest = min(offered, key=lambda size: size.width * size.height)
    longest = frames.max
    if release.segments:
        longest = 2 * release.segments.frames - release.segments.overlap
    return (
        Scenario(
            "short",
            "Many short videos",
            "Each of another prompt, as fast as possible.",
            smallest,
            frames.default,
            videos,
        ),
        Scenario(
            "template",
            "A fixed template",
            "One prompt again and again, and nobody is to wait long.",
            offered[0],
            frames.default,
            videos,
            template=True,
        ),
        Scenario(
            "long",
            "Long videos",
            "Each in segments that continue each other."
            if release.segments
            else "As long as can be drawn at once.",
            offered[0],
            longest,
            max(1, videos // LONG_SHARE),
        ),
    )
