"""How well a segment continues the one before, measured where they meet."""

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

PEAK = 255.0
BEST_DB = 60.0
"""Of equal frames, whose PSNR is not finite."""
LEAST_MOTION = 0.5
"""Mean difference of neighbouring frames, in grey levels, that counts as standing still."""


@dataclass(frozen=True, slots=True)
class Seam:
    """Where segment `segment` (counted from 1) begins to be seen: at frame `frame` of the video.

    psnr_db: of the least alike of the frames that both segments drew.
    motion: mean difference of the frames on both sides, in multiples of the largest between
        neighbours within the two segments.
    attempts: how often the segment was drawn until it fitted.
    """

    segment: int
    frame: int
    psnr_db: float
    motion: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Meeting:
    """What is measured of two segments, see `Seam`."""

    psnr_db: float
    motion: float


def meet(before: "np.ndarray", after: "np.ndarray", overlap: int) -> Meeting:
    """Of clips uint8 (frames, height, width, 3); the first `overlap` of `after` repeat `before`."""
    repeated, new = after[:overlap], after[overlap:]
    worst = min(map(_psnr_db, before[-overlap:], repeated))
    usual = max(LEAST_MOTION, _most_motion(before), _most_motion(new))
    return Meeting(round(worst, 2), round(_difference(before[-1], new[0]) / usual, 3))


def _psnr_db(one: "np.ndarray", other: "np.ndarray") -> float:
    error = float(((one.astype("float32") - other) ** 2).mean())
    return min(BEST_DB, 10 * log10(PEAK**2 / error)) if error else BEST_DB


def _most_motion(clip: "np.ndarray") -> float:
    return max(map(_difference, clip[:-1], clip[1:]), default=0.0)


def _difference(one: "np.ndarray", other: "np.ndarray") -> float:
    return float(abs(one.astype("int16") - other).mean())
