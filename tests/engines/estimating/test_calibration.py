"""Estimates learn from takes, and say how sure they are."""

from dataclasses import replace

import pytest

from wan_pipelines.engines.estimating.calibration import (
    LEAST_TAKES,
    Evidence,
    calibrate,
)


def take(
    ratio: float, bucket: str = "720p", pool: str = "a14b", peak: int = 5
) -> Evidence[str, str]:
    return Evidence(
        bucket, pool, estimated_seconds=10.0, actual_seconds=10 * ratio, peak_bytes=peak
    )


def test_without_takes_an_estimate_is_as_sure_as_what_was_published() -> None:
    found = calibrate([take(3.0)] * (LEAST_TAKES - 1)).correction("720p", "a14b", 0.2)
    assert (found.ratio, found.low, found.high, found.takes) == (1.0, 0.8, 1.2, 0)


def test_takes_alike_correct_it() -> None:
    takes = [take(ratio, peak=peak) for ratio, peak in ((1.4, 5), (1.5, 9), (1.7, 7))]
    found = calibrate(takes).correction("720p", "a14b", 0.2)
    assert found.ratio == 1.5
    assert found.low < 1.4, "eight in ten of more than three lie further apart"
    assert found.high > 1.7
    assert (found.takes, found.alike, found.peak_bytes) == (3, True, 9)


def test_one_stuck_take_changes_little() -> None:
    takes = [take(1.0 + index / 1000) for index in range(20)]
    found = calibrate([*takes, take(50.0)]).correction("720p", "a14b", 0.2)
    assert found.ratio == pytest.approx(1.01, abs=0.01)
    assert found.high < 1.2


def test_other_shapes_correct_it_as_well_but_say_nothing_of_memory() -> None:
    takes = [take(2.0)] * 5
    found = calibrate(takes).correction("480p", "a14b", 0.2)
    assert (found.ratio, found.takes, found.alike, found.peak_bytes) == (2.0, 5, False, 0)
    assert found.high - found.low > 0.3, "less sure than takes alike"
    assert calibrate(takes).correction("480p", "another", 0.2).takes == 0


def test_more_takes_are_surer() -> None:
    ratios = [0.9, 0.95, 1.0, 1.0, 1.0, 1.0, 1.0, 1.05, 1.1] * 3
    few = calibrate([take(ratio) for ratio in (0.9, 1.0, 1.1)]).correction("720p", "a14b", 0.2)
    many = calibrate([take(ratio) for ratio in ratios]).correction("720p", "a14b", 0.2)
    assert many.high - many.low <= few.high - few.low
    assert many.low < 1.0 < many.high


def test_the_order_of_takes_does_not_matter() -> None:
    takes = [take(ratio, bucket) for ratio in (1.0, 1.3, 0.8, 2.0) for bucket in ("720p", "480p")]
    assert calibrate(takes) == calibrate(reversed(takes))


def test_an_engine_that_has_changed_is_judged_by_what_it_renders_since() -> None:
    before = [replace(take(1.0 + n / 100), engine="old", at=n) for n in range(20)]
    since = [replace(take(1.5 + n / 100), engine="new", at=100 + n) for n in range(3)]
    few = calibrate([*before, *since[:2]]).correction("720p", "a14b", 0.2)
    assert few.ratio < 1.2
    assert few.high - few.low >= 0.3 * few.ratio, "less sure than before"
    enough = calibrate([*before, *since]).correction("720p", "a14b", 0.2)
    assert enough.ratio == pytest.approx(1.51)
    assert enough.low > 1.2
