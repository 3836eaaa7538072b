"""Intervals hold what a real engine takes, too: some of its takes judge the others.

They were taken with the tiny pipeline of these tests, on a core that had other work: a few last
three times as long as most. Their order is shuffled, since what is tested is the interval, not how
evenly that machine worked.
"""

from random import Random

from wan_pipelines.engines.estimating.calibration import Evidence, calibrate
from wan_pipelines.engines.estimating.intervals import LEVEL

LEARNT_FROM, JUDGED, ROUNDS = 9, 6, 200
MILLISECONDS = """
    175 78 87 54 54 53 63 67 61 58 64 57 96 179 128 67 51 53 57 59
    60 63 50 84 68 54 54 63 73 53 67 65 72 78 79 104 96 82 117 61
    88 85 53 75 96 120 234 108 60 58 57 70 106 143 73 62 120 91 51 105
"""
"""Of three engines, a line each, from their second take on: the first one warms up."""


def test_the_interval_holds_real_takes_as_often_as_it_says() -> None:
    durations = [int(words) / 1000 for words in MILLISECONDS.split()]
    random, hits = Random(3), 0
    for _ in range(ROUNDS):
        order = random.sample(durations, LEARNT_FROM + JUDGED)
        learnt, others = order[:LEARNT_FROM], order[LEARNT_FROM:]
        takes = [Evidence("tiny", "tiny", 1.0, seconds, 5) for seconds in learnt]
        found = calibrate(takes).correction("tiny", "tiny", 0.5)
        hits += sum(found.low <= seconds <= found.high for seconds in others)
    assert abs(hits / (ROUNDS * JUDGED) - LEVEL) < 0.05
