"""The world of the `wan-tiny` release: what it can draw, and in which words one may ask for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

Shape = Literal["ball", "box", "triangle"]
Colour = Literal["red", "green", "blue", "yellow", "purple", "orange"]
Background = Literal["black", "white", "blue", "gray"]
Motion = Literal["right", "left", "up", "down", "growing", "shrinking"]
Rgb = tuple[int, int, int]
Name = TypeVar("Name", bound=str)

SHAPES: tuple[Shape, ...] = ("ball", "box", "triangle")
COLOURS: dict[Colour, Rgb] = {
    "red": (220, 40, 40),
    "green": (40, 180, 70),
    "blue": (60, 130, 250),
    "yellow": (245, 210, 50),
    "purple": (160, 60, 200),
    "orange": (245, 130, 30),
}
BACKGROUNDS: dict[Background, Rgb] = {
    "black": (12, 12, 14),
    "white": (242, 242, 240),
    "blue": (24, 40, 110),
    "gray": (128, 128, 130),
}
MOTIONS: tuple[Motion, ...] = ("right", "left", "up", "down", "growing", "shrinking")


@dataclass(frozen=True, slots=True)
class Scene:
    """One object of the world, doing one thing."""

    shape: Shape
    colour: Colour
    background: Background
    motion: Motion


SHAPE_WORDS: dict[Shape, tuple[str, ...]] = {
    "ball": ("ball", "circle", "disc", "disk", "sphere"),
    "box": ("box", "square", "cube", "block"),
    "triangle": ("triangle", "pyramid"),
}
COLOUR_WORDS: dict[Colour, tuple[str, ...]] = {
    "red": ("red", "crimson"),
    "green": ("green", "emerald"),
    "blue": ("blue", "azure"),
    "yellow": ("yellow", "golden"),
    "purple": ("purple", "violet"),
    "orange": ("orange",),
}
BACKGROUND_WORDS: dict[Background, tuple[str, ...]] = {
    "black": ("black",),
    "white": ("white",),
    "blue": ("blue", "navy"),
    "gray": ("gray", "grey"),
}
BACKGROUND_NOUNS = ("background", "backdrop")
BACKGROUND_PREPOSITIONS = ("on", "over", "against", "before", "in front of")
# Matched after the words "a", "an" and "the" are taken out.
MOTION_PHRASES: dict[Motion, tuple[str, ...]] = {
    "right": ("left to right", "right", "rightward", "rightwards"),
    "left": ("right to left", "left", "leftward", "leftwards"),
    "up": (
        *("up", "upward", "upwards", "rising", "rises"),
        *("climbing", "climbs", "ascending", "ascends"),
    ),
    "down": (
        *("down", "downward", "downwards", "falling", "falls", "dropping", "drops"),
        *("sinking", "sinks", "descending", "descends"),
    ),
    "growing": ("growing", "grows", "expanding", "expands", "bigger", "larger"),
    "shrinking": ("shrinking", "shrinks", "contracting", "contracts", "smaller"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prompt asks for; None where it does not say, or not in words of this world."""

    shape: Shape | None
    colour: Colour | None
    background: Background | None
    motion: Motion | None


def parse_prompt(prompt: str) -> Asked:
    """Read a prompt in any case and word order: "On white, a green box is rising"."""
    words = re.findall(r"\w+", prompt.lower())
    text = " ".join(word for word in words if word not in {"a", "an", "the"})
    background, rest = _take_background(text)
    return Asked(
        shape=_first(SHAPE_WORDS, rest),
        colour=_first(COLOUR_WORDS, rest),
        background=background,
        motion=_first(MOTION_PHRASES, rest),
    )


def _take_background(text: str) -> tuple[Background | None, str]:
    """The background a text names, and the text without the words that named it."""
    colour = _alternatives(BACKGROUND_WORDS)
    noun = "|".join(BACKGROUND_NOUNS)
    preposition = "|".join((*BACKGROUND_PREPOSITIONS, "with"))
    not_an_object = rf"(?! (?:{_alternatives(SHAPE_WORDS)})\b)"
    for pattern in (
        rf"\b({colour}) (?:{noun})\b",
        rf"\b(?:{noun})(?: is| of)? ({colour})\b{not_an_object}",
        rf"\b(?:{preposition}) ({colour})\b{not_an_object}",
    ):
        if found := re.search(pattern, text):
            rest = f"{text[: found.start()]} {text[found.end() :]}"
            return _meaning(BACKGROUND_WORDS, found[1]), rest
    return None, text


def _first(vocabulary: Mapping[Name, tuple[str, ...]], text: str) -> Name | None:
    """The meaning of the first phrase of the vocabulary in the text."""
    found = re.search(rf"\b(?:{_alternatives(vocabulary)})\b", text)
    return _meaning(vocabulary, found[0]) if found else None


def _alternatives(vocabulary: Mapping[Name, tuple[str, ...]]) -> str:
    """A pattern that matches each phrase, the longest first."""
    phrases = (phrase for phrases in vocabulary.values() for phrase in phrases)
    return "|".join(sorted(phrases, key=len, reverse=True))


def _meaning(vocabulary: Mapping[Name, tuple[str, ...]], phrase: str) -> Name:
    return next(name for name, phrases in vocabulary.items() if phrase in phrases)
