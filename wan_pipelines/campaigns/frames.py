"""Shapes of a brief, checked against what the release can draw.

A pipeline rounds sizes and lengths that do not fit its latents, and says so in a log that nobody
reads. Here they are errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.prompts import Shape
from wan_pipelines.campaigns.whereabouts import Whereabouts
from wan_pipelines.engines.releases import Release
from wan_pipelines.hints import did_you_mean
from wan_pipelines.validation import Location, shown


@dataclass(frozen=True, slots=True)
class Clip:
    """The shape of a video, settled: pixels, frames, frames a second, and what it is called."""

    name: str
    width: int
    height: int
    frames: int
    fps: int


def clips(
    entries: Sequence[str | Shape], brief: Brief, release: Release, place: Whereabouts
) -> tuple[Clip, ...]:
    """The shapes listed at `place`; without any, the first one that the release offers."""
    if not entries:
        return (_offered(release.sizes.offered[0].name, brief, release, place, ()),)
    return tuple(
        _offered(entry, brief, release, place, ("shapes", index))
        if isinstance(entry, str)
        else _described(entry, brief, release, place, ("shapes", index))
        for index, entry in enumerate(entries)
    )


def check_frames(frames: int, release: Release, place: Whereabouts, location: Location) -> None:
    """InputError unless the release can draw so many frames, at once or in segments."""
    offer = release.frames
    if not offer.min <= frames <= release.most_frames:
        raise place.error(
            location,
            f"is {frames}.",
            f"{release.name} draws {offer.min} to {release.most_frames} frames.",
        )
    if not release.draws(frames):
        below = (frames - offer.offset) // offer.step * offer.step + offer.offset
        raise place.error(
            location,
            f"is {frames}, which is not {offer.step}k + {offer.offset}.",
            f"Use {below} or {below + offer.step}.",
        )


def _offered(
    name: str, brief: Brief, release: Release, place: Whereabouts, location: Location
) -> Clip:
    for size in release.sizes.offered:
        if size.name == name:
            frames = brief.frames or release.frames.default
            return Clip(name, size.width, size.height, frames, brief.fps or release.fps)
    raise place.error(
        location,
        f"is {shown(name)}, which {release.name} does not offer.",
        did_you_mean(name, (size.name for size in release.sizes.offered)),
    )


def _described(
    shape: Shape, brief: Brief, release: Release, place: Whereabouts, location: Location
) -> Clip:
    for side in ("width", "height"):
        _check_side(getattr(shape, side), release, place, (*location, side))
    if shape.frames is not None:
        check_frames(shape.frames, release, place, (*location, "frames"))
    return Clip(
        name=shape.name or _spoken(shape),
        width=shape.width,
        height=shape.height,
        frames=shape.frames or brief.frames or release.frames.default,
        fps=shape.fps or brief.fps or release.fps,
    )


def _spoken(shape: Shape) -> str:
    """What a shape without a name is called: what it says, for example `832x480-81f-16fps`."""
    parts = [f"{shape.width}x{shape.height}"]
    parts += [f"{shape.frames}f"] if shape.frames else []
    parts += [f"{shape.fps}fps"] if shape.fps else []
    return "-".join(parts)


def _check_side(pixels: int, release: Release, place: Whereabouts, location: Location) -> None:
    step = release.sizes.multiple_of
    if pixels % step:
        below = pixels // step * step
        nearest = f"{below} or {below + step}" if below else f"{step}"
        raise place.error(
            location, f"is {pixels}, which is not a multiple of {step}.", f"Use {nearest}."
        )
