"""Intervals hold what a real engine takes, too: some takes of tiny weights judge the others.

The order is shuffled: what is tested is the interval, not how evenly this machine works meanwhile.
"""

from pathlib import Path
from random import Random
from time import perf_counter

import pytest

from tests.support.releases import folder_release, request_for
from wan_pipelines.engines.estimating.calibration import Evidence, calibrate
from wan_pipelines.engines.estimating.intervals import LEVEL
from wan_pipelines.engines.reference import load_reference_engine
from wan_pipelines.weights.sources import FolderSource

TAKES, LEARNT_FROM, ROUNDS = 15, 9, 40


@pytest.fixture(scope="module")
def durations(tiny_folder: Path) -> list[float]:
    """Seconds of takes of one shape, the first of an engine left out."""
    release = folder_release(tiny_folder, dtype="float32")
    engine = load_reference_engine(
        release, FolderSource(tiny_folder).ensure(tiny_folder), threads=1
    )
    request = request_for(release, "a red ball rising")
    found: list[float] = []
    for _ in range(TAKES + 1):
        began = perf_counter()
        engine.render(request)
        found.append(perf_counter() - began)
    return found[1:]


def test_the_interval_holds_real_takes_as_often_as_it_says(durations: list[float]) -> None:
    random, hits, judged = Random(3), 0, 0
    for _ in range(ROUNDS):
        order = random.sample(durations, len(durations))
        learnt, others = order[:LEARNT_FROM], order[LEARNT_FROM:]
        takes = [Evidence("tiny", "tiny", 1.0, seconds, 5) for seconds in learnt]
        found = calibrate(takes).correction("tiny", "tiny", 0.5)
        hits += sum(found.low <= seconds <= found.high for seconds in others)
        judged += len(others)
    assert hits / judged >= LEVEL - 0.1
