"""Charts as plain shapes: a unit square that a page stretches, with labels beside it as text.

Text inside a drawing would shrink with it on a phone, so that only shapes are drawn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor, log10

WIDTH, HEIGHT = 1000.0, 100.0
"""Of the drawing, in its own units."""
GAP = 0.25
"""Part of a column's place that stays empty."""
STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
"""Round ends of a scale, times a power of ten."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `series` says which of the stacked amounts it stands for."""

    series: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to a round number that nothing exceeds."""

    top: float

    @property
    def ticks(self) -> tuple[float, ...]:
        """What is written beside it, from the top."""
        return self.top, self.top / 2, 0.0

    def y(self, value: float) -> float:
        """How far below the top edge a value lies."""
        return round(HEIGHT - HEIGHT * value / self.top, 3)


def scale_of(values: Iterable[float]) -> Scale:
    """The smallest round scale for values that are not negative; up to 1 where all are 0."""
    most = max(values, default=0.0)
    if most <= 0:
        return Scale(1.0)
    power = 10.0 ** floor(log10(most))
    fitting = (step * power for step in STEPS if step * power >= most * (1 - 1e-9))
    return Scale(next(fitting, 10 * power))


def stacked_columns(columns: Sequence[Sequence[float]], scale: Scale) -> tuple[Box, ...]:
    """One column of stacked amounts for each place on the axis, the first amount at the bottom."""
    place = WIDTH / max(1, len(columns))
    boxes = []
    for number, amounts in enumerate(columns):
        below = 0.0
        for series, amount in enumerate(amounts):
            top = scale.y(below + amount)
            if amount > 0:
                left, width = place * (number + GAP / 2), place * (1 - GAP)
                height = round(scale.y(below) - top, 3)
                boxes.append(Box(series, round(left, 3), top, round(width, 3), height))
            below += amount
    return tuple(boxes)


def lines(values: Sequence[float | None], scale: Scale) -> tuple[str, ...]:
    """Points of lines through the values, as SVG writes them; a gap where there is none.

    A value without neighbours is a dash: of a line of one point, browsers draw nothing.
    """
    place = WIDTH / max(1, len(values))
    found: list[list[tuple[float, float]]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append((place * (number + 0.5), scale.y(value)))
    return tuple(_written(points, place * (1 - GAP) / 2) for points in found if points)


def _written(points: Sequence[tuple[float, float]], dash: float) -> str:
    if len(points) == 1:
        ((x, y),) = points
        points = ((x - dash, y), (x + dash, y))
    return " ".join(f"{x:.3f},{y}" for x, y in points)


def shares(amounts: Sequence[float]) -> tuple[Box, ...]:
    """Amounts side by side, as parts of the whole width. Whatever they are, the drawing's numbers
    are small: browsers draw none beyond 33 million.
    """
    whole = sum(amount for amount in amounts if amount > 0)
    boxes, left = [], 0.0
    for series, amount in enumerate(amounts):
        if amount > 0:
            width = WIDTH * amount / whole
            boxes.append(Box(series, round(left, 3), 0.0, round(width, 3), HEIGHT))
            left += width
    return tuple(boxes)


def ends(count: int) -> tuple[int, ...]:
    """Which of so many places on an axis are named: the first, the middle and the last one."""
    return tuple(sorted({0, (count - 1) // 2, count - 1})) if count else ()
