"""Captions of the synthetic world in several styles of English."""

from typing import Literal, TypeVar, get_args

import numpy as np

from wan_pipelines.encoding.tiny_world import (
    BACKGROUND_NOUNS,
    BACKGROUND_PREPOSITIONS,
    BACKGROUND_WORDS,
    COLOUR_WORDS,
    SHAPE_WORDS,
    Motion,
    Scene,
)

Style = Literal["plain", "verb", "clause", "background first", "commas", "motion first", "title"]
STYLES: tuple[Style, ...] = get_args(Style)
Option = TypeVar("Option")

ARTICLES = ("a", "the", "one", "")
VERBS = {
    "moving": "moves",
    "sliding": "slides",
    "going": "goes",
    "drifting": "drifts",
    "travelling": "travels",
    "gliding": "glides",
    "flying": "flies",
    "floating": "floats",
    "rolling": "rolls",
}
DIRECTIONS: dict[Motion, tuple[str, ...]] = {
    "right": ("to the right", "right", "left to right", "from left to right", "rightwards"),
    "left": ("to the left", "left", "right to left", "from right to left", "leftwards"),
    "up": ("up", "upwards", "upward"),
    "down": ("down", "downwards", "downward"),
    "growing": (),
    "shrinking": (),
}
SPECIAL_VERBS: dict[Motion, dict[str, str]] = {
    "right": {},
    "left": {},
    "up": {"rising": "rises", "climbing": "climbs", "ascending": "ascends"},
    "down": {
        "falling": "falls",
        "dropping": "drops",
        "sinking": "sinks",
        "descending": "descends",
    },
    "growing": {
        "growing": "grows",
        "expanding": "expands",
        "getting bigger": "gets bigger",
        "getting larger": "gets larger",
        "becoming larger": "becomes larger",
    },
    "shrinking": {
        "shrinking": "shrinks",
        "contracting": "contracts",
        "getting smaller": "gets smaller",
        "becoming smaller": "becomes smaller",
    },
}
OPENINGS = ("a video of", "a clip of", "an animation of", "video:", "")
# Words outside the vocabulary all become one token; captions contain some, so that they do no harm.
ADJECTIVES = ("shiny", "bright", "pretty", "smooth", "")
UNSAID_SHARE = 0.06


def caption(scene: Scene, style: Style, rng: np.random.Generator) -> str:
    """Describe the whole scene in the style, with random synonyms."""
    thing = _thing(scene, rng)
    ground = _ground(scene, rng)
    place = _place(ground, rng)
    ing, finite = _motion(scene.motion, rng)
    orders: dict[Style, tuple[str, ...]] = {
        "plain": (f"{thing} {ing} {place}",),
        "verb": (f"{thing} {finite} {place}",),
        "clause": (f"{thing} is {ing} {place}",),
        "background first": (
            f"{place}, {thing} {ing}",
            f"{place}, {thing} {finite}",
            f"{place}, {thing} is {ing}",
        ),
        "commas": (f"{thing} {finite}, {ground}", f"{thing} {place}, {ing}"),
        "motion first": (f"{ing}: {thing} {place}",),
        "title": tuple(f"{opening} {thing} {ing}, {ground}" for opening in OPENINGS),
    }
    return _pick(orders[style], rng).strip()


def training_caption(scene: Scene, rng: np.random.Generator) -> str:
    """A caption in a random style; sometimes one of its parts is left unsaid."""
    if rng.uniform() < 3 * UNSAID_SHARE:
        return _partial(scene, rng)
    return caption(scene, _pick(STYLES, rng), rng)


def _partial(scene: Scene, rng: np.random.Generator) -> str:
    thing, place = _thing(scene, rng), _place(_ground(scene, rng), rng)
    ing, finite = _motion(scene.motion, rng)
    shape = _pick(SHAPE_WORDS[scene.shape], rng)
    return _pick(
        (f"{thing} {place}", f"{thing} {_pick((ing, finite), rng)}", f"a {shape} {ing} {place}"),
        rng,
    )


def _thing(scene: Scene, rng: np.random.Generator) -> str:
    shape = _pick(SHAPE_WORDS[scene.shape], rng)
    colour = _pick(COLOUR_WORDS[scene.colour], rng)
    adjective = _pick(ADJECTIVES, rng) if rng.uniform() < 0.15 else ""
    return " ".join(word for word in (_pick(ARTICLES, rng), adjective, colour, shape) if word)


def _ground(scene: Scene, rng: np.random.Generator) -> str:
    colour = _pick(BACKGROUND_WORDS[scene.background], rng)
    return f"{_pick(('a ', 'the ', ''), rng)}{colour} {_pick(BACKGROUND_NOUNS, rng)}"


def _place(ground: str, rng: np.random.Generator) -> str:
    """The ground with a preposition; "on a black background", "over black"."""
    if rng.uniform() < 0.2:
        colour = ground.removeprefix("a ").removeprefix("the ").split()[0]
        return f"{_pick(('on', 'over', 'against'), rng)} {colour}"
    return f"{_pick((*BACKGROUND_PREPOSITIONS, 'with'), rng)} {ground}"


def _motion(motion: Motion, rng: np.random.Generator) -> tuple[str, str]:
    """The motion as participle and as finite verb: ("moving up", "moves up")."""
    special = SPECIAL_VERBS[motion]
    if special and (not DIRECTIONS[motion] or rng.uniform() < 0.6):
        ing = _pick(tuple(special), rng)
        return ing, special[ing]
    ing = _pick(tuple(VERBS), rng)
    direction = _pick(DIRECTIONS[motion], rng)
    return f"{ing} {direction}", f"{VERBS[ing]} {direction}"


def _pick(options: tuple[Option, ...], rng: np.random.Generator) -> Option:
    return options[int(rng.integers(len(options)))]


def every_word() -> list[str]:
    """All lower-case words that captions may contain, sorted, without the adjectives."""
    phrases: list[str] = [
        *ARTICLES,
        *OPENINGS,
        *BACKGROUND_NOUNS,
        *BACKGROUND_PREPOSITIONS,
        "with",
        "is",
    ]
    for words in (*SHAPE_WORDS.values(), *COLOUR_WORDS.values(), *BACKGROUND_WORDS.values()):
        phrases += words
    phrases += [*VERBS, *VERBS.values()]
    for directions in DIRECTIONS.values():
        phrases += directions
    for verbs in SPECIAL_VERBS.values():
        phrases += [*verbs, *verbs.values()]
    return sorted({word for phrase in phrases for word in phrase.replace(":", "").split()})
