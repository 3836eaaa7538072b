"""The engine without a model keeps the contract of an engine."""

import numpy as np
import pytest

from tests.engines.memory_keeper import MemoryKeeper
from tests.support.releases import hub_release, request_for
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.errors import RenderError

RELEASE = hub_release()


def test_frames_follow_the_request() -> None:
    engine = NullEngine(RELEASE)
    request = request_for(RELEASE, "a ball", width=96, frames=13)
    footage = engine.render(request)
    assert footage.frames.shape == (13, 64, 96, 3)
    assert footage.frames.dtype == np.uint8
    assert np.array_equal(engine.render(request).frames, footage.frames)
    assert not np.array_equal(footage.frames[0], footage.frames[1])
    other = engine.render(request_for(RELEASE, "a box", width=96, frames=13))
    assert not np.array_equal(other.frames, footage.frames)


def test_steps_are_reported() -> None:
    seen: list[int] = []
    NullEngine(RELEASE).render(request_for(RELEASE, "a"), lambda step, steps: seen.append(step))
    assert seen == [0, 1, 2, 3, 4]


def test_it_goes_on_where_it_was_left() -> None:
    keeper, seen = MemoryKeeper(), list[int]()
    engine, request = NullEngine(RELEASE), request_for(RELEASE, "a ball")
    whole = engine.render(request, keeper=keeper)
    assert list(keeper.offered) == [1, 2, 3, 4]
    later = MemoryKeeper(keeper.offered[3])
    footage = engine.render(request, lambda step, steps: seen.append(step), later)
    assert seen == [3, 4]
    assert (later.resumed_at, footage.steps) == (3, 1)
    assert np.array_equal(footage.frames, whole.frames)
    other = MemoryKeeper(keeper.offered[3])
    assert engine.render(request_for(RELEASE, "a box"), keeper=other).steps == 4
    assert (other.resumed_at, other.refusal) == (None, "it is not of this shot")


def test_faults_are_raised_for_their_prompts_alone() -> None:
    engine = NullEngine(RELEASE, {"bad": RenderError("broken", stage="denoise")})
    with pytest.raises(RenderError, match="broken"):
        engine.render(request_for(RELEASE, "bad"))
    engine.render(request_for(RELEASE, "good"))
    with pytest.raises(RenderError, match="multiples of 16"):
        engine.render(request_for(RELEASE, "good", width=70))
