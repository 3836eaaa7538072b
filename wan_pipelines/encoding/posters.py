"""Still and moving pictures of a take, small enough to show hundreds on a page.

Pillow makes them: at demo size it takes half of what a further output of the ffmpeg process
costs, and merges frames that are alike.
"""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

POSTER_QUALITY: Final = 85
PREVIEW_QUALITY: Final = 50
PREVIEW_SIDE: Final = 320
PREVIEW_SECONDS: Final = 2
PREVIEW_FPS: Final = 10
HISTOGRAM_BINS: Final = 32
EQUAL_DISTANCE: Final = 0.01
"""What four hundredths of the pixels make when all their channels move to other bins."""
SAMPLED_SIDE: Final = 64
"""Frames are compared on a grid of about this many points a side."""


def write_poster(frames: np.ndarray, path: Path) -> None:
    """Write the most representative of `frames` (T,H,W,3 uint8) as WebP of full size."""
    _image(frames[representative_frame(frames)]).save(
        path, "WEBP", quality=POSTER_QUALITY, method=4
    )


def representative_frame(frames: np.ndarray) -> int:
    """Index of the frame that shows best what the clip is about.

    Of the frames that are not empty (half as much contrast as most), the one whose colour
    histogram is nearest to the mean histogram, as in ffmpeg's `thumbnail` filter; of nearly
    equally near ones the one nearest to the middle.
    """
    step = max(1, min(frames.shape[1:3]) // SAMPLED_SIDE)
    points = frames[:, ::step, ::step]
    histograms = np.stack([_histogram(frame) for frame in points])
    distances = np.square(histograms - histograms.mean(axis=0)).sum(axis=1)
    contrasts = points.reshape(len(points), -1).astype(np.float32).std(axis=1)
    distances[contrasts < np.quantile(contrasts, 0.75) / 2] = np.inf
    near = np.flatnonzero(distances <= distances.min() + EQUAL_DISTANCE)
    middle = (len(frames) - 1) / 2
    return int(near[np.argmin(np.abs(near - middle))])


def _histogram(points: np.ndarray) -> np.ndarray:
    """Shares of the bins of each colour channel of (H,W,3), joined."""
    bins = points.reshape(-1, 3) // (256 // HISTOGRAM_BINS) + np.arange(3) * HISTOGRAM_BINS
    return np.bincount(bins.ravel(), minlength=3 * HISTOGRAM_BINS) / len(bins)


def write_preview(frames: np.ndarray, fps: Fraction, path: Path) -> None:
    """Write a looping WebP of at most 320 x 320 pixels, 10 frames a second and 2 seconds.

    A longer clip is shown from beginning to end, quicker: whoever looks wants to see all of it.
    """
    seconds = min(Fraction(PREVIEW_SECONDS), len(frames) / fps)
    count = min(len(frames), max(1, int(seconds * PREVIEW_FPS)))
    chosen = np.linspace(0, len(frames) - 1, count).round().astype(int)
    images = [_small(frames[index]) for index in chosen]
    ends = [round(1000 * seconds * (number + 1) / count) for number in range(count)]
    durations = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    images[0].save(
        path,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=durations,
        loop=0,
        quality=PREVIEW_QUALITY,
        method=2,
    )


def _small(frame: np.ndarray) -> "Image":
    image = _image(frame)
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), reducing_gap=2)
    return image


def _image(frame: np.ndarray) -> "Image":
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(frame))
