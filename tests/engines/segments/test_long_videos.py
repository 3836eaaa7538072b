"""Videos of several segments, drawn by the shipped checkpoint."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tests.engines.memory_keeper import MemoryKeeper
from tests.engines.segments.long_videos import FRAMES, engine_of, long_release, long_request
from wan_pipelines.engines.denoising import Denoising
from wan_pipelines.engines.protocol import Footage
from wan_pipelines.engines.reference import ReferenceEngine
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.engines.segments.continuing import from_overlap
from wan_pipelines.errors import RenderError

CONTINUATION = "wan_pipelines.engines.reference.from_overlap"


@pytest.fixture(scope="module")
def release() -> Release:
    return long_release()


@pytest.fixture(scope="module")
def engine(release: Release, tmp_path_factory: pytest.TempPathFactory) -> ReferenceEngine:
    return engine_of(release, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def whole(engine: ReferenceEngine, release: Release) -> tuple[Footage, MemoryKeeper, list[int]]:
    """An uninterrupted render, what it offered to keep, and the steps it told."""
    keeper, seen = MemoryKeeper(), list[int]()
    footage = engine.render(long_request(release), lambda step, _: seen.append(step), keeper)
    return footage, keeper, seen


def without_tail(pipeline: Any, request: Any, text: Any, scheduler: Any, _tail: Any) -> Denoising:
    """A segment that knows nothing of the one before."""
    return Denoising.begin(pipeline, request, text, scheduler)


def test_segments_are_joined_to_a_video_that_goes_on(
    whole: tuple[Footage, MemoryKeeper, list[int]], engine: ReferenceEngine, release: Release
) -> None:
    footage, _, seen = whole
    assert footage.frames.shape == (FRAMES, 128, 128, 3)
    assert [(seam.segment, seam.frame) for seam in footage.seams] == [(2, 17), (3, 25)]
    assert all(seam.psnr_db > 28 and seam.motion < 2 for seam in footage.seams)
    assert footage.steps == 12
    assert sorted(set(seen)) == list(range(13))
    assert seen == sorted(seen)
    alone = engine.render(long_request(release, frames=17))
    assert np.array_equal(footage.frames[:17], alone.frames)
    assert alone.seams == ()


def test_the_frames_of_a_long_video_lie_in_a_file(
    whole: tuple[Footage, MemoryKeeper, list[int]],
) -> None:
    assert isinstance(whole[0].frames, np.memmap)


def test_a_segment_that_does_not_continue_fails_after_some_attempts(
    engine: ReferenceEngine, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def watched(pipeline: Any, request: Any, *others: Any) -> Denoising:
        seeds.append(request.seed)
        return without_tail(pipeline, request, *others)

    monkeypatch.setattr(CONTINUATION, watched)
    with pytest.raises(
        RenderError, match="Segment 2 of 3 does not continue the one before"
    ) as told:
        engine.render(long_request(release))
    assert "drawn 3 times" in str(told.value)
    assert len(set(seeds)) == 3, "each attempt has a seed of its own"


def test_a_segment_is_drawn_again_until_it_fits(
    engine: ReferenceEngine, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[Callable[..., Denoising]] = [without_tail, from_overlap]

    def next_way(*given: Any) -> Denoising:
        return ways.pop(0)(*given)

    monkeypatch.setattr(CONTINUATION, next_way)
    footage = engine.render(long_request(release, frames=21))
    assert [seam.attempts for seam in footage.seams] == [2]
    assert footage.seams[0].psnr_db > 28
    assert footage.steps == 12, "what was drawn in vain was paid too"


@pytest.mark.parametrize("step", [4, 7, 12])
def test_a_long_video_goes_on_in_the_middle(
    whole: tuple[Footage, MemoryKeeper, list[int]],
    engine: ReferenceEngine,
    release: Release,
    step: int,
) -> None:
    footage, keeper, _ = whole
    assert list(keeper.offered) == list(range(1, 13))
    again, seen = MemoryKeeper(keeper.offered[step]), list[int]()
    resumed = engine.render(long_request(release), lambda at, _: seen.append(at), again)
    assert again.refusal == ""
    assert again.resumed_at == step
    assert seen[0] == step
    assert resumed.steps == 12 - step
    assert np.array_equal(resumed.frames, footage.frames)
    assert resumed.seams == footage.seams
    assert max(map(len, keeper.offered.values())) <= keeper.limit_bytes


def test_checkpoints_of_other_videos_are_refused(
    whole: tuple[Footage, MemoryKeeper, list[int]], engine: ReferenceEngine, release: Release
) -> None:
    kept = whole[1].offered[7]
    other = replace(long_request(release, frames=21), seed=5)
    assert "another render key" in refusal_of(engine, other, kept)
    assert "damaged" in refusal_of(engine, long_request(release), kept[:-9] + b"\xff" * 9)


def refusal_of(engine: ReferenceEngine, request: RenderRequest, kept: bytes) -> str:
    """Why a render does not go on from what was kept; it starts over, which is enough."""
    keeper = MemoryKeeper(kept)

    def stop(step: int, steps: int) -> None:
        raise KeyError(step)

    with pytest.raises(KeyError, match="0"):
        engine.render(request, stop, keeper)
    assert keeper.resumed_at is None
    return keeper.refusal


def test_how_a_video_is_cut_is_part_of_its_key(release: Release) -> None:
    other = long_release(overlap=13)
    assert other.identity == release.identity
    assert long_request(release, frames=17) == long_request(other, frames=17)
    assert long_request(release).key != long_request(other).key
    more = long_release(max=45)
    assert long_request(release).key == long_request(more).key, (
        "how long others are changes nothing"
    )


def test_a_video_that_was_cut_otherwise_is_planned_again(
    engine: ReferenceEngine, release: Release
) -> None:
    planned = long_request(long_release(overlap=13))
    with pytest.raises(RenderError, match="cut into segments otherwise"):
        engine.render(planned)
    with pytest.raises(RenderError, match=r"from 9 to 49"):
        engine.render(replace(long_request(release), frames=53))


@pytest.mark.parametrize(
    ("segments", "told"),
    [
        ({"frames": 18}, "no length that the release draws"),
        ({"overlap": 8}, r"segments.overlap 8 is not 4 \* k \+ 1"),
        ({"overlap": 17}, "below segments.frames"),
        ({"max": 17}, "above frames.max"),
    ],
)
def test_segments_that_cannot_be_are_refused_when_definitions_load(
    segments: dict[str, int], told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        long_release(**segments)
