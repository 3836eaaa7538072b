"""Shards: full, balanced, of one release, and the same every time."""

from dataclasses import replace
from itertools import groupby
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.releases import hub_release, shot_for
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import Sampling
from wan_pipelines.rendering.shards import cut, wall_seconds

RELEASES = (hub_release(), hub_release(name="other"))
WIDTHS = (64, 96)


def some(count: int, **changes: Any) -> list[Shot]:
    return [shot_for(RELEASES[0], f"shot {number}", **changes) for number in range(count)]


def minute(shot: Shot) -> float:
    return 60.0


@pytest.mark.parametrize(
    ("count", "shard_minutes", "workers", "sizes"),
    [
        (12, 30, 2, [6, 6]),
        (12, 30, 5, [2, 3, 2, 3, 2]),
        (90, 30, 2, [30, 30, 30]),
        (95, 30, 2, [24, 24, 23, 24]),
        (3, 30, 8, [1, 1, 1]),
        (1, 30, 1, [1]),
        (4, 0.5, 1, [1, 1, 1, 1]),
        (0, 30, 4, []),
    ],
)
def test_sizes(count: int, shard_minutes: float, workers: int, sizes: list[int]) -> None:
    shards = cut(some(count), minute, shard_minutes * 60, workers)
    assert sorted(len(shard.shots) for shard in shards) == sorted(sizes)
    assert all(shard.seconds == 60 * len(shard.shots) for shard in shards)


def test_shots_of_one_shape_stand_together_in_their_order() -> None:
    wide, square = some(3, width=96), some(3)
    mixed = [shot for pair in zip(wide, square, strict=True) for shot in pair]
    (shard,) = cut(mixed, minute, 3600, 1)
    assert list(shard.shots) == square + wide


def test_work_is_balanced_by_time_and_not_by_number() -> None:
    long, short = some(2, width=96), some(20)
    shards = cut(long + short, lambda shot: 600.0 if shot.request.width == 96 else 60.0, 3600, 2)
    assert [shard.seconds for shard in shards] == [1200.0, 1200.0]


def test_names_are_identifiers_in_order() -> None:
    names = [shard.name for shard in cut(some(100), minute, 600, 1)]
    assert names[:2] + names[-1:] == ["shard_01", "shard_02", "shard_10"]
    assert all(name.isidentifier() for name in names)


SHOTS = st.lists(
    st.tuples(st.sampled_from(RELEASES), st.sampled_from(WIDTHS), st.integers(1, 5)), max_size=40
)


@given(wanted=SHOTS, workers=st.integers(1, 6), shard_seconds=st.floats(1, 1e4))
def test_every_shot_is_in_one_shard_of_its_release(
    wanted: list[tuple[Release, int, int]], workers: int, shard_seconds: float
) -> None:
    shots = [
        shot_for(release, f"shot {number}", width=width, seed=seed)
        for number, (release, width, seed) in enumerate(wanted)
    ]

    def seconds(shot: Shot) -> float:
        return float(shot.request.seed * shot.request.width)

    shards = cut(shots, seconds, shard_seconds, workers)
    assert shards == cut(shots, seconds, shard_seconds, workers)
    assert sorted(shot.name for shard in shards for shot in shard.shots) == sorted(
        shot.name for shot in shots
    )
    for shard in shards:
        assert shard.shots
        assert len({shot.request.release for shot in shard.shots}) == 1
        of_release = [
            seconds(shot)
            for shot in shots
            if shot.request.release == shard.shots[0].request.release
        ]
        mean = sum(of_release) / len(of_release)
        assert shard.seconds <= max(shard_seconds, mean) + max(of_release)


def test_tiers_are_kept_apart() -> None:
    draft = replace(some(1)[0].request.sampling, loras="digest")
    mixed = [*some(1), *some(1, sampling=draft), *some(2)[1:]]
    (shard,) = cut(mixed, minute, 3600, 1)
    assert [shot.request.sampling.loras for shot in shard.shots] == ["", "", "digest"]


def test_no_shard_needs_two_engines() -> None:
    sampling = some(1)[0].request.sampling
    cached, cast = replace(sampling, options="cache"), replace(sampling, engine="cast")
    mixed = [*some(1, sampling=cast), *some(1), *some(2, sampling=cast)[1:]]
    mixed += some(1, sampling=cached)
    shards = cut(mixed, minute, 3600, 1)
    told = [
        [(s.request.sampling.engine, s.request.sampling.options) for s in shard.shots]
        for shard in shards
    ]
    assert told == [[("", ""), ("", "cache")], [("cast", ""), ("cast", "")]]


def test_a_worker_changes_what_is_warm_as_seldom_as_can_be() -> None:
    """Engine, then LoRA, then shape, then tier: each comes once within the one before it."""
    plain = some(1)[0].request.sampling
    kinds = [
        shot
        for engine in ("", "cast")
        for loras in ("", "digest")
        for width in WIDTHS
        for steps in (4, 40)
        for shot in some(2, width=width, sampling=_sampling(plain, engine, loras, steps))
    ]
    Random(1).shuffle(kinds)
    warm = [
        (sampling.engine, sampling.loras, shot.request.width, sampling.steps)
        for shard in cut(kinds, minute, 1e6, 1)
        for shot in shard.shots
        for sampling in [shot.request.sampling]
    ]
    for depth in range(1, 5):
        met = [part for part, _ in groupby(key[:depth] for key in warm)]
        assert len(met) == len(set(met)) == 2**depth


def _sampling(plain: Sampling, engine: str, loras: str, steps: int) -> Sampling:
    return replace(plain, engine=engine, loras=loras, steps=steps)


@pytest.mark.parametrize(("workers", "ends"), [(1, 60), (2, 45), (3, 35), (9, 30)])
def test_shards_are_begun_by_whoever_is_free_first(workers: int, ends: float):
    assert wall_seconds([10, 15, 5, 30], workers) == ends
    assert wall_seconds([], workers) == 0
