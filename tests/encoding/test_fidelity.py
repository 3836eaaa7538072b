"""Prompt fidelity passes what the prompt asks for and fails everything else."""

from dataclasses import replace

import numpy as np
import pytest

from training.world import plot_course, render
from wan_pipelines.encoding.fidelity import Scorer, TinyWorldScorer
from wan_pipelines.encoding.tiny_world import Scene

SHOWN = Scene("ball", "red", "black", "right")
PROMPT = "Red ball moves to the right, black background"
SCORER: Scorer = TinyWorldScorer()


def draw(scene: Scene) -> np.ndarray:
    course = plot_course(scene.motion, (128, 128), np.random.default_rng(1))
    return render(scene, course, (128, 128), np.linspace(0, 1, 9))[0]


def test_the_right_clip_passes_in_every_part() -> None:
    score = SCORER.score(draw(SHOWN), PROMPT)
    assert (score.overall, score.shape, score.colour, score.background, score.motion) == (
        1.0,
        *(True,) * 4,
    )


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("shape", replace(SHOWN, shape="box")),
        ("shape", replace(SHOWN, shape="triangle")),
        ("colour", replace(SHOWN, colour="orange")),
        ("background", replace(SHOWN, background="blue")),
        ("motion", replace(SHOWN, motion="left")),
        ("motion", replace(SHOWN, motion="growing")),
    ],
)
def test_one_wrong_part_fails_alone(part: str, other: Scene) -> None:
    score = SCORER.score(draw(other), PROMPT)
    failed = [p for p in ("shape", "colour", "background", "motion") if not getattr(score, p)]
    assert failed == [part]
    assert score.overall == 0.75
    assert f"{part}: asked {getattr(SHOWN, part)}, seen {getattr(other, part)}" in score.note


def test_parts_the_prompt_leaves_open_are_not_judged() -> None:
    score = SCORER.score(draw(SHOWN), "a green ball")
    assert (score.shape, score.colour, score.background, score.motion) == (True, False, None, None)
    assert score.overall == 0.5


def test_a_prompt_of_another_world_is_not_judged_and_says_so() -> None:
    score = SCORER.score(draw(SHOWN), "a cat on a sofa")
    assert score.overall is None
    assert {score.shape, score.colour, score.background, score.motion} == {None}
    assert "nothing that the tiny world knows" in score.note
