"""What a clip shows is measured, not believed."""

import numpy as np
import pytest

from training.world import Course, plot_course, render
from wan_pipelines.encoding.tiny_world import Motion, Scene
from wan_pipelines.encoding.tiny_world_vision import Seen, look


def draw(scene: Scene, size: tuple[int, int] = (128, 192), frames: int = 9) -> np.ndarray:
    course = plot_course(scene.motion, size, np.random.default_rng(0))
    return render(scene, course, size, np.linspace(0, 1, frames))[0]


@pytest.mark.parametrize("size", [(128, 192), (192, 128), (64, 64)])
@pytest.mark.parametrize("motion", ["right", "left", "up", "down", "growing", "shrinking"])
def test_sees_motion_at_any_size(size: tuple[int, int], motion: Motion) -> None:
    scene = Scene("ball", "orange", "gray", motion)
    assert look(draw(scene, size)) == Seen("ball", "orange", "gray", motion)


def test_tells_shapes_apart() -> None:
    for shape in ("ball", "box", "triangle"):
        assert look(draw(Scene(shape, "red", "white", "up"))).shape == shape


def test_noise_of_a_video_codec_does_no_harm() -> None:
    clip = draw(Scene("triangle", "purple", "blue", "left")).astype(np.int16)
    noisy = clip + np.random.default_rng(0).integers(-12, 13, clip.shape)
    seen = look(np.clip(noisy, 0, 255).astype(np.uint8))
    assert seen == Seen("triangle", "purple", "blue", "left")


def test_an_empty_clip_shows_its_background_only() -> None:
    clip = np.full((9, 64, 64, 3), 242, np.uint8)
    assert look(clip) == Seen(None, None, "white", None)


def test_an_object_that_vanishes_on_the_way_is_not_seen() -> None:
    clip = draw(Scene("ball", "red", "black", "right"))
    clip[4:] = clip[0, 0, 0]
    assert look(clip).motion is None


def test_a_colour_that_changes_on_the_way_is_no_colour() -> None:
    clip = draw(Scene("ball", "red", "black", "right"))
    clip[4:] = draw(Scene("ball", "green", "black", "right"))[4:]
    assert look(clip).colour is None


def test_a_diagonal_or_still_object_has_no_known_motion() -> None:
    scene = Scene("box", "green", "white", "right")
    for end in ((96.0, 96.0), (32.0, 32.0)):
        course = Course((32.0, 32.0), end, 16.0, 16.0)
        clip, _ = render(scene, course, (128, 128), np.linspace(0, 1, 9))
        assert look(clip).motion is None


def test_a_colour_outside_the_palette_is_none() -> None:
    clip = np.full((9, 64, 64, 3), 12, np.uint8)
    clip[:, 20:40, 20:40] = (0, 255, 255)
    assert look(clip).colour is None
