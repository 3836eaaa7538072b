"""The synthetic world is the same for everyone, and part of it stays unseen."""

import numpy as np
import pytest

from training.world import (
    FRAMES,
    SIZES,
    every_scene,
    held_out_scenes,
    plot_course,
    render,
    training_scenes,
)
from wan_pipelines.encoding.tiny_world import BACKGROUNDS, MOTIONS


def test_same_seed_same_pixels() -> None:
    def draw(seed: int) -> bytes:
        scene = every_scene()[7]
        course = plot_course(scene.motion, SIZES[1], np.random.default_rng(seed))
        return render(scene, course, SIZES[1], np.linspace(0, 1, 9))[0].tobytes()

    assert draw(3) == draw(3)
    assert draw(3) != draw(4)


def test_every_scene_is_trained_on_or_held_out_never_both() -> None:
    trained, held_out = set(training_scenes()), set(held_out_scenes())
    assert trained | held_out == set(every_scene())
    assert not trained & held_out
    assert len(held_out) >= 60


def test_whatever_is_held_out_is_known_in_other_combinations() -> None:
    trained = training_scenes()
    for scene in held_out_scenes():
        neighbours = [
            other
            for other in trained
            if (other.shape, other.colour, other.background)
            == (scene.shape, scene.colour, scene.background)
        ]
        assert {other.motion for other in neighbours} == set(MOTIONS) - {scene.motion}


@pytest.mark.parametrize("size", SIZES)
def test_the_object_stays_inside_the_picture(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for scene in every_scene():
        frames, _ = render(scene, plot_course(scene.motion, size, rng), size, np.array([0.0, 1.0]))
        border = np.concatenate([frames[:, 0], frames[:, -1]], 1)
        assert (border == BACKGROUNDS[scene.background]).all()


def test_lengths_fit_the_autoencoder() -> None:
    assert all(frames % 4 == 1 for frames in FRAMES)
