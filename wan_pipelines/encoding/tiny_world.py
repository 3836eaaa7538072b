"""The world of the `wan-tiny` release: what it can draw, and in which words one may ask for it."""

from dataclasses import dataclass
from typing import Literal

Shape = Literal["ball", "box", "triangle"]
Colour = Literal["red", "green", "blue", "yellow", "purple", "orange"]
Background = Literal["black", "white", "blue", "gray"]
Motion = Literal["right", "left", "up", "down", "growing", "shrinking"]
Rgb = tuple[int, int, int]

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
