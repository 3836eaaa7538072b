"""Compiled blocks draw what eager ones draw but for the last bits, or they draw nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.artifacts import (
    MemoryShelf,
    built_artifact,
    compiled_release,
    engine_with,
    no_compiler,
)
from tests.support.releases import request_for
from tests.support.tiny_pipeline import write_tiny_pipeline
from wan_pipelines.engines.artifacts.packages import SignedOff
from wan_pipelines.engines.protocol import EAGER
from wan_pipelines.engines.reference import ReferenceEngine
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.errors import EngineError

__all__ = ["no_compiler"]

pytestmark = [pytest.mark.xdist_group("artifacts"), pytest.mark.timeout(900)]
SHAPES = [(64, 64, 9), (96, 64, 5)]


@pytest.fixture(scope="module")
def release(tiny_folder: Path) -> Release:
    return compiled_release(tiny_folder, compiled="if_built")


@pytest.fixture(scope="module")
def shelf() -> MemoryShelf:
    shelf = MemoryShelf()
    shelf.publish(built_artifact())
    return shelf


@pytest.fixture(scope="module")
def engine(release: Release, tiny_folder: Path, shelf: MemoryShelf) -> ReferenceEngine:
    return engine_with(release, tiny_folder, shelf)


@pytest.fixture(scope="module")
def eager(release: Release, tiny_folder: Path) -> ReferenceEngine:
    return engine_with(release, tiny_folder, MemoryShelf())


def request_of(
    release: Release, tier: str, shape: tuple[int, int, int] = SHAPES[0]
) -> RenderRequest:
    width, height, frames = shape
    return request_for(
        release,
        "a red ball",
        sampling=release.sampling(tier),
        width=width,
        height=height,
        frames=frames,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_one_artifact_draws_every_shape_with_both_experts(
    engine: ReferenceEngine, eager: ReferenceEngine, release: Release, shape: tuple[int, int, int]
) -> None:
    compiled = engine.render(request_of(release, "fast", shape))
    plain = eager.render(request_of(release, "eager", shape))
    assert compiled.compilation.artifacts == (built_artifact().sha256,)
    difference = np.abs(compiled.frames.astype(int) - plain.frames.astype(int))
    assert difference.max() <= 1


def test_a_tier_that_wants_none_is_eager_on_the_same_engine(
    engine: ReferenceEngine, eager: ReferenceEngine, release: Release
) -> None:
    engine.render(request_of(release, "fast"))
    footage = engine.render(request_of(release, "eager"))
    assert footage.compilation == EAGER
    assert np.array_equal(footage.frames, eager.render(request_of(release, "eager")).frames)


def test_code_is_part_of_what_a_shot_is(release: Release, tiny_folder: Path) -> None:
    always = compiled_release(tiny_folder, compiled="always")
    assert always.identity == release.identity
    keys = {
        request_of(release, "eager").key,
        request_of(release, "fast").key,
        request_of(always, "fast").key,
    }
    assert len(keys) == 3


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (flipped, "its content is not what was signed off"),
        (lambda data: data[:-1000], "bytes instead of"),
        (lambda data: data + b"\0", "bytes instead of"),
        (lambda _: b"", "0 bytes instead of"),
    ],
    ids=["a flipped bit", "cut off", "too long", "empty"],
)
def test_a_damaged_artifact_is_not_loaded(
    damage: Callable[[bytes], bytes],
    told: str,
    eager: ReferenceEngine,
    release: Release,
    tiny_folder: Path,
) -> None:
    built = built_artifact()
    shelf = MemoryShelf()
    shelf.publish(built)
    shelf.stored[built.sha256] = damage(built.data)
    footage = engine_with(release, tiny_folder, shelf).render(request_of(release, "fast"))
    assert footage.compilation.artifacts == ()
    assert told in footage.compilation.missed
    assert np.array_equal(footage.frames, eager.render(request_of(release, "eager")).frames)


def test_an_artifact_for_another_key_is_not_found(release: Release, tiny_folder: Path) -> None:
    built = built_artifact()
    shelf = MemoryShelf()
    parts = {**dict(built.key.parts), "torch": "1.0"}
    shelf.publish(replace(built, key=type(built.key).of(parts)))
    footage = engine_with(release, tiny_folder, shelf).render(request_of(release, "fast"))
    assert footage.compilation.missed == "none was built for sample"


def test_an_artifact_for_blocks_of_other_shapes_is_not_found(tmp_path: Path) -> None:
    """The package itself would take any weights of the right names."""
    shelf = MemoryShelf()
    shelf.publish(built_artifact())
    folder = write_tiny_pipeline(tmp_path / "pipeline", heads=3)
    release = compiled_release(folder, compiled="if_built")
    footage = engine_with(release, folder, shelf).render(request_of(release, "fast"))
    assert footage.compilation.missed == "none was built for sample"


def test_what_was_signed_off_and_is_no_package_is_not_loaded(
    release: Release, tiny_folder: Path
) -> None:
    key, data = built_artifact().key, b"no package at all"
    shelf = MemoryShelf(stored={"here": data})
    shelf.signed[key] = SignedOff(_sha256(data), len(data), "here")
    footage = engine_with(release, tiny_folder, shelf).render(request_of(release, "fast"))
    assert "it is no package" in footage.compilation.missed


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_a_tier_that_is_always_compiled_is_refused(tiny_folder: Path) -> None:
    release = compiled_release(tiny_folder, compiled="always")
    with pytest.raises(EngineError, match=r"no C\+\+ compiler. Install g\+\+"):
        engine_with(release, tiny_folder, MemoryShelf())


def test_weights_that_were_moved_are_not_drawn_with_the_old_ones(
    release: Release, tiny_folder: Path, shelf: MemoryShelf
) -> None:
    engine = engine_with(release, tiny_folder, shelf)
    weight = engine._pipeline.transformer.blocks[0].ffn.net[2].weight
    weight.data = weight.data.clone()
    footage = engine.render(request_of(release, "fast"))
    assert footage.compilation.artifacts == ()
    assert "moved" in footage.compilation.missed


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
