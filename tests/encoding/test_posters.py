from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.encoding.clips import black, moving_square
from wan_pipelines.encoding.posters import representative_frame, write_poster, write_preview
from wan_pipelines.encoding.probe import probe


def test_frames_that_show_the_same_are_represented_by_the_middle():
    assert representative_frame(black(frames=9)) == 4
    assert representative_frame(moving_square(frames=17)) == 8
    assert representative_frame(black(frames=1)) == 0


def test_a_black_beginning_is_not_what_the_clip_is_about():
    clip = np.concatenate([black(frames=12), moving_square(frames=9)])
    assert representative_frame(clip) >= 12


def test_a_fade_in_is_represented_by_its_visible_part():
    levels = np.clip(np.linspace(0, 3, 20), 0, 1)[:, None, None, None]
    clip = (moving_square(frames=20) * levels).astype(np.uint8)
    assert representative_frame(clip) >= 7


def test_a_single_flash_is_not_chosen():
    clip = moving_square(frames=9)
    clip[4] = 255
    clip[4, ::2] = 0
    assert representative_frame(clip) != 4


def test_the_poster_is_the_frame_in_full_size(tmp_path: Path):
    clip = moving_square()
    write_poster(clip, tmp_path / "poster.webp")
    shown = np.asarray(Image.open(tmp_path / "poster.webp").convert("RGB"), float)
    assert shown.shape == (64, 96, 3)
    assert np.abs(shown - clip[8]).mean() < 4


def test_a_short_clip_is_previewed_in_its_own_time(tmp_path: Path):
    write_preview(moving_square(frames=9), Fraction(8), tmp_path / "preview.webp")
    found = probe(tmp_path / "preview.webp")
    assert (found.width, found.height, found.frames) == (96, 64, 9)
    assert found.duration_seconds == 1.125


@pytest.mark.parametrize(
    ("frames", "fps", "width", "height"),
    [(81, 16, 640, 360), (33, 8, 96, 64), (121, 24, 120, 320), (33, 16, 96, 64)],
)
def test_a_preview_is_short_small_and_loops(
    frames: int, fps: int, width: int, height: int, tmp_path: Path
):
    clip = moving_square(frames, width, height)
    write_preview(clip, Fraction(fps), tmp_path / "preview.webp")
    found = probe(tmp_path / "preview.webp")
    assert found.duration_seconds == 2
    assert found.frames <= 20
    assert max(found.width, found.height) <= min(320, max(width, height))
    assert found.width * height == pytest.approx(found.height * width, rel=0.01)
    with Image.open(tmp_path / "preview.webp") as image:
        assert image.info["loop"] == 0
        assert difference(image, clip[0]) < 8
        image.seek(found.frames - 1)
        assert difference(image, clip[-1]) < 8
        assert difference(image, clip[0]) > 8


def difference(shown: Image.Image, frame: np.ndarray) -> float:
    """Mean difference between a preview's current frame and a frame of the clip."""
    small = Image.fromarray(frame).resize(shown.size)
    return float(np.abs(np.asarray(shown.convert("RGB"), float) - np.asarray(small)).mean())


def test_a_clip_of_two_frames_is_previewed(tmp_path: Path):
    write_preview(moving_square(frames=2), Fraction(16), tmp_path / "preview.webp")
    assert probe(tmp_path / "preview.webp").frames == 1
