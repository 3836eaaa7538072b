"""Sees in frames what the world of `wan-tiny` consists of: one flat object before a plain ground.

Needs no model: the ground is what the picture's border shows, the object is what differs from it.
Frames are `uint8 (T, H, W, 3)` of any size; T must be at least two for a motion to be seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from wan_pipelines.encoding.tiny_world import (
    BACKGROUNDS,
    COLOURS,
    Background,
    Colour,
    Motion,
    Rgb,
    Shape,
)

Name = TypeVar("Name", bound=str)

BORDER_SHARE = 0.04  # of height and width, on each side
OBJECT_CONTRAST = 40  # in the channel that differs most
OBJECT_AREA = (0.003, 0.6)  # share of the picture
MOST_FRAMES = 0.8  # a clip shows what at least this share of its frames shows
COLOUR_TOLERANCE = 80.0  # Euclidean, in 8-bit RGB
GROWTH = 0.4  # natural logarithm of last size over first
TRAVEL = 0.15  # share of the picture's width or height


@dataclass(frozen=True, slots=True)
class Seen:
    """What a clip shows; None where that is nothing of this world, or changes on the way."""

    shape: Shape | None
    colour: Colour | None
    background: Background | None
    motion: Motion | None


def look(frames: np.ndarray) -> Seen:
    """Measure a clip `uint8 (T, H, W, 3)`."""
    grounds = np.stack([_ground(frame) for frame in frames])
    backgrounds: list[Background | None] = [_nearest(BACKGROUNDS, ground) for ground in grounds]
    background = _common(backgrounds)
    contrast = np.abs(frames.astype(np.int16) - grounds[:, None, None]).max(-1)
    masks = contrast > OBJECT_CONTRAST
    areas = masks.mean((1, 2))
    present = np.flatnonzero((areas > OBJECT_AREA[0]) & (areas < OBJECT_AREA[1]))
    if len(present) < MOST_FRAMES * len(frames):
        return Seen(None, None, background, None)
    colours: list[Colour | None] = [_colour(frames[index], masks[index]) for index in present]
    return Seen(
        shape=_shape(float(np.median([_fill(masks[index]) for index in present]))),
        colour=_common(colours),
        background=background,
        motion=_motion(masks[present], present),
    )


def _ground(frame: np.ndarray) -> np.ndarray:
    """Median colour of the border."""
    height, width, _ = frame.shape
    rows, columns = (max(1, round(BORDER_SHARE * side)) for side in (height, width))
    inside = np.zeros((height, width), bool)
    inside[rows:-rows, columns:-columns] = True
    return np.median(frame[~inside], axis=0)


def _colour(frame: np.ndarray, mask: np.ndarray) -> Colour | None:
    return _nearest(COLOURS, np.median(frame[mask], axis=0))


def _nearest(palette: Mapping[Name, Rgb], colour: np.ndarray) -> Name | None:
    distances = {name: float(np.linalg.norm(colour - rgb)) for name, rgb in palette.items()}
    best = min(distances, key=lambda name: distances[name])
    return best if distances[best] <= COLOUR_TOLERANCE else None


def _common(names: list[Name | None]) -> Name | None:
    """The name that most frames agree on."""
    best = max(set(names), key=names.count)
    return best if names.count(best) >= MOST_FRAMES * len(names) else None


def _fill(mask: np.ndarray) -> float:
    """The share of its bounding box that an object covers."""
    columns, rows = (
        np.flatnonzero(counts > 0.04 * counts.max()) for counts in (mask.sum(0), mask.sum(1))
    )
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return float(box.mean())


def _shape(fill: float) -> Shape | None:
    """By the covered share of the bounding box: triangle 1/2, ball pi/4, box 1."""
    if fill < 0.35:
        return None
    if fill < 0.66:
        return "triangle"
    return "ball" if fill < 0.9 else "box"


def _motion(masks: np.ndarray, times: np.ndarray) -> Motion | None:
    """From straight lines fitted to the object's centre and to the logarithm of its size."""
    if len(times) < 2:
        return None
    height, width = masks.shape[1:]
    areas = masks.sum((1, 2))
    x = (masks.sum(1) * np.arange(width)).sum(1) / areas / width
    y = (masks.sum(2) * np.arange(height)).sum(1) / areas / height
    right, down, growth = (
        float(np.polyfit(times, values, 1)[0] * (times[-1] - times[0]))
        for values in (x, y, np.log(areas) / 2)
    )
    along, across = max(abs(right), abs(down)), min(abs(right), abs(down))
    if abs(growth) > GROWTH:
        return _name(growth, "growing", "shrinking") if along < TRAVEL else None
    if along < TRAVEL or across > along / 2:
        return None
    return _name(right, "right", "left") if along == abs(right) else _name(down, "down", "up")


def _name(amount: float, positive: Motion, negative: Motion) -> Motion:
    return positive if amount > 0 else negative
