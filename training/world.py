"""The synthetic world: a flat, coloured shape moves or changes its size on a plain background.

Lengths are in pixels, x to the right, y downwards. A clip is `uint8 (frames, height, width, 3)`.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from wan_pipelines.encoding.tiny_world import (
    BACKGROUNDS,
    COLOURS,
    MOTIONS,
    SHAPES,
    Motion,
    Scene,
    Shape,
)

SIZES = ((128, 128), (128, 192), (192, 128))  # height, width
FRAMES = (9, 13, 17, 25, 33)
JITTER = 0.05  # of the middle of the course, as a share of width and height

_DIRECTIONS: dict[Motion, tuple[int, int]] = {
    "right": (1, 0),
    "left": (-1, 0),
    "up": (0, -1),
    "down": (0, 1),
}


@dataclass(frozen=True, slots=True)
class Course:
    """Where the object is and how large, on the first and on the last frame."""

    start: tuple[float, float]
    end: tuple[float, float]
    radius_start: float
    radius_end: float

    def at(self, moment: float) -> tuple[float, float, float]:
        """Centre x, centre y and radius at a moment between 0 (first frame) and 1 (last)."""
        x, y = (a + (b - a) * moment for a, b in zip(self.start, self.end, strict=True))
        return x, y, self.radius_start + (self.radius_end - self.radius_start) * moment


def every_scene() -> list[Scene]:
    """All combinations of shape, colour, background and motion, in a fixed order."""
    return [
        Scene(shape, colour, background, motion)
        for shape, colour, background, motion in product(SHAPES, COLOURS, BACKGROUNDS, MOTIONS)
    ]


def is_held_out(scene: Scene) -> bool:
    """Whether the scene is kept for evaluation: one motion of each shape, colour and background."""
    positions = (
        SHAPES.index(scene.shape),
        list(COLOURS).index(scene.colour),
        list(BACKGROUNDS).index(scene.background),
        MOTIONS.index(scene.motion),
    )
    return sum(positions) % len(MOTIONS) == 0


def training_scenes() -> list[Scene]:
    """The five sixths of all scenes that training may see."""
    return [scene for scene in every_scene() if not is_held_out(scene)]


def held_out_scenes() -> list[Scene]:
    """The scenes that only evaluation sees."""
    return [scene for scene in every_scene() if is_held_out(scene)]


def plot_course(motion: Motion, size: tuple[int, int], rng: np.random.Generator) -> Course:
    """A random course for the motion; the object always stays inside the picture."""
    height, width = size
    unit = min(size)
    middle = np.array([width / 2, height / 2]) + rng.uniform(-JITTER, JITTER, 2) * (width, height)
    if motion in _DIRECTIONS:
        radius = float(rng.uniform(0.18, 0.21)) * unit
        travel = rng.uniform(0.40, 0.44) * np.array(_DIRECTIONS[motion]) * (width, height)
        radii = (radius, radius)
    else:
        small, large = float(rng.uniform(0.11, 0.13)) * unit, float(rng.uniform(0.27, 0.30)) * unit
        travel = np.zeros(2)
        radii = (small, large) if motion == "growing" else (large, small)
    room = np.abs(travel) / 2 + 1.1 * max(radii) + 2
    middle = np.clip(middle, room, np.array([width, height]) - room)
    start, end = middle - travel / 2, middle + travel / 2
    return Course((float(start[0]), float(start[1])), (float(end[0]), float(end[1])), *radii)


def render(
    scene: Scene, course: Course, size: tuple[int, int], moments: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the scene at each moment.

    Returns the frames `uint8 (T, H, W, 3)` and the nearness of each pixel to the object,
    `float32 (T, H, W)`: one inside it, falling to zero eight pixels outside.
    """
    height, width = size
    background = np.array(BACKGROUNDS[scene.background], np.float32)
    colour = np.array(COLOURS[scene.colour], np.float32)
    frames = np.empty((len(moments), height, width, 3), np.uint8)
    frames[:] = background.astype(np.uint8)
    nearness = np.zeros((len(moments), height, width), np.float32)
    for index, moment in enumerate(moments):
        x, y, radius = course.at(float(moment))
        reach = 1.1 * radius + 10
        rows = slice(max(0, int(y - reach)), min(height, int(y + reach) + 1))
        columns = slice(max(0, int(x - reach)), min(width, int(x + reach) + 1))
        dy, dx = np.mgrid[rows, columns].astype(np.float32)
        distance = _distance(scene.shape, dx - x, dy - y, radius)
        nearness[index, rows, columns] = np.clip(1 - distance / 8, 0.0, 1.0)
        cover = np.clip(0.5 - distance, 0.0, 1.0)
        mix = background + cover[..., None] * (colour - background)
        frames[index, rows, columns] = np.rint(mix)
    return frames, nearness


def _distance(shape: Shape, dx: np.ndarray, dy: np.ndarray, radius: float) -> np.ndarray:
    """Signed distance in pixels to the outline, negative inside (exact enough for smooth edges)."""
    if shape == "ball":
        return np.hypot(dx, dy) - radius
    if shape == "box":
        return np.maximum(np.abs(dx), np.abs(dy)) - 0.9 * radius
    flank = (2.0 * np.abs(dx) - (dy + 1.1 * radius)) / np.sqrt(5.0)
    return np.maximum(flank, dy - 1.0 * radius)
