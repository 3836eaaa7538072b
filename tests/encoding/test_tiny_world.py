"""Prompts about the tiny world are understood whatever their style."""

import pytest

from wan_pipelines.encoding.tiny_world import Asked, parse_prompt


@pytest.mark.parametrize(
    ("prompt", "asked"),
    [
        (
            "a red ball moving left to right on a black background",
            Asked("ball", "red", "black", "right"),
        ),
        (
            "Red ball moves to the right, black background",
            Asked("ball", "red", "black", "right"),
        ),
        (
            "On a white background, a green box is rising.",
            Asked("box", "green", "white", "up"),
        ),
        ("a blue circle sliding left over gray", Asked("ball", "blue", "gray", "left")),
        ("YELLOW PYRAMID SINKS BEFORE NAVY", Asked("triangle", "yellow", "blue", "down")),
        ("from right to left: the violet cube on grey", Asked("box", "purple", "gray", "left")),
        (
            "the background is blue, a blue disc gets bigger",
            Asked("ball", "blue", "blue", "growing"),
        ),
    ],
)
def test_styles(prompt: str, asked: Asked) -> None:
    assert parse_prompt(prompt) == asked


def test_says_nothing_about_what_the_prompt_leaves_open() -> None:
    assert parse_prompt("a golden disc") == Asked("ball", "yellow", None, None)
    assert parse_prompt("something rises against white") == Asked(None, None, "white", "up")


def test_a_colour_after_a_preposition_belongs_to_the_object_that_follows() -> None:
    assert parse_prompt("sliding right on blue box") == Asked("box", "blue", None, "right")


@pytest.mark.parametrize("prompt", ["a cat on a sofa", "", "红球", "upright redness"])
def test_other_worlds_are_not_understood(prompt: str) -> None:
    assert parse_prompt(prompt) == Asked(None, None, None, None)
