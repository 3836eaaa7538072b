"""Intervals hold the truth as often as they say, on takes that are drawn from known distributions.

Each trial renders takes, asks for an interval, and renders what is to come. Random numbers have
seeds: what is asserted is true today and every day.
"""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from wan_pipelines.engines.estimating.calibration import Correction, Evidence, calibrate
from wan_pipelines.engines.estimating.intervals import LEVEL, next_one, spread_of, student, total

TRIALS = 400
TOLERANCE = 0.06
"""Three standard deviations of what is seen in so many trials."""
Draw = Callable[[Random], float]

DISTRIBUTIONS: dict[str, Draw] = {
    "even": lambda random: random.uniform(0.8, 1.2),
    "lognormal": lambda random: random.lognormvariate(0, 0.2),
    "wide": lambda random: random.lognormvariate(0, 0.5),
    "heavy tail": lambda random: 0.9 + 0.1 * random.paretovariate(3),
    "two kinds": lambda random: random.choice((1.0, 1.3)) * random.uniform(0.95, 1.05),
}


def correction(random: Random, draw: Draw, takes: int, drift: float = 0.0) -> Correction:
    """What takes on workers of eight tell, each of which is faster or slower by `drift`."""

    def rendered() -> Iterator[Evidence[str, str]]:
        speeds = [random.lognormvariate(0, drift) for _ in range(8)]
        for number in range(takes):
            worker = number % len(speeds)
            seconds = 10 * draw(random) * speeds[worker]
            yield Evidence("720p", "a14b", 10.0, seconds, 5, worker=str(worker))

    return calibrate(rendered()).correction("720p", "a14b", 0.2)


@pytest.mark.parametrize("takes", [3, 9, 40])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_shot_lies_within_as_often_as_is_said(name: str, takes: int) -> None:
    random, draw = Random(7), DISTRIBUTIONS[name]
    hits = 0
    for _ in range(TRIALS):
        found = correction(random, draw, takes)
        hits += found.low <= draw(random) <= found.high
    assert hits / TRIALS >= LEVEL - TOLERANCE
    if takes > 3:
        assert hits / TRIALS <= LEVEL + 2 * TOLERANCE, "and does not lie anywhere"


@pytest.mark.parametrize("drift", [0.0, 0.1])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_sum_lies_within_as_often_as_is_said(name: str, drift: float) -> None:
    """Thirty shots on a worker that nobody has seen before."""
    random, draw = Random(11), DISTRIBUTIONS[name]
    hits = 0
    for _ in range(TRIALS):
        found = correction(random, draw, 40, drift)
        low, high = total([(10.0, found.spread)] * 30)
        speed = random.lognormvariate(0, drift)
        hits += low <= sum(10 * speed * draw(random) for _ in range(30)) <= high
    assert hits / TRIALS >= LEVEL - TOLERANCE


def test_what_each_take_has_of_its_own_cancels_out() -> None:
    spread = spread_of([0.8, 1.0, 1.2, 0.9, 1.1, 1.0], ["a", "b"] * 3)
    widths = []
    for number in (1, 10, 1000):
        low, high = total([(10.0, spread)] * number)
        widths.append((high - low) / (10.0 * number))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == pytest.approx(2 * spread.shared, rel=0.01), "what they share does not"


def test_workers_that_differ_make_a_sum_unsure() -> None:
    ratios = [1.0, 1.01, 0.99, 1.3, 1.31, 1.29]
    assert spread_of(ratios, list("aaabbb")).shared > 3 * spread_of(ratios, ["a"] * 6).shared


def test_a_take_that_got_stuck_is_not_expected_every_time() -> None:
    spread = spread_of([1.0] * 19 + [60.0], ["a"] * 20)
    assert spread.mean < 1.2


def test_order_statistics_hold_once_there_are_enough() -> None:
    assert next_one([float(number) for number in range(1, 10)]) == (1.0, 9.0)
    assert next_one([float(number) for number in range(1, 20)]) == (2.0, 18.0)
    low, high = next_one([1.0, 1.1])
    assert low < 0.9, "two say little"
    assert high > 1.2


@pytest.mark.parametrize(("degrees", "quantile"), [(1, 3.078), (10, 1.372), (30, 1.310)])
def test_students_quantiles_are_those_of_tables(degrees: int, quantile: float) -> None:
    assert student(degrees) == pytest.approx(quantile, rel=0.005)
