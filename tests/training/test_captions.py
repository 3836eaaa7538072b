"""Captions say what the scene is, in every style, and never a held-out combination."""

import numpy as np
import pytest

from training.captions import STYLES, Style, caption, every_word, training_caption
from training.world import every_scene, is_held_out, training_scenes
from wan_pipelines.encoding.tiny_world import Asked, Scene, parse_prompt


@pytest.mark.parametrize("style", STYLES)
def test_captions_ask_for_their_scene(style: Style) -> None:
    rng = np.random.default_rng(0)
    for scene in every_scene():
        asked = parse_prompt(caption(scene, style, rng))
        assert asked == Asked(scene.shape, scene.colour, scene.background, scene.motion)


def test_training_never_asks_for_a_held_out_combination() -> None:
    rng = np.random.default_rng(0)
    for scene in training_scenes():
        for _ in range(5):
            asked = parse_prompt(training_caption(scene, rng))
            if asked.shape and asked.colour and asked.background and asked.motion:
                said = Scene(asked.shape, asked.colour, asked.background, asked.motion)
                assert not is_held_out(said)


def test_same_seed_same_words() -> None:
    scene = every_scene()[0]
    first, second = (training_caption(scene, np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_the_vocabulary_covers_the_captions() -> None:
    assert {"red", "ball", "rightwards", "backdrop", "shrinking"} <= set(every_word())
