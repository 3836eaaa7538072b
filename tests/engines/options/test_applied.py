"""Attention and tiles change for one request and are what they were for the next."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.options.conftest import engine_for, request_in, tiered
from wan_pipelines.engines.reference import ReferenceEngine
from wan_pipelines.engines.releases import Release

TILES = {"tile_height": 48, "tile_width": 48, "stride_height": 32, "stride_width": 32}


@pytest.fixture(scope="module")
def release(tiny_folder: Path) -> Release:
    return tiered(
        tiny_folder,
        math={"attention_backend": "_native_math"},
        tiled={"vae_tiling": TILES},
        untiled={"vae_tiling": {"tile_height": 256, "tile_width": 256}},
    )


@pytest.fixture(scope="module")
def engine(release: Release, tiny_folder: Path) -> ReferenceEngine:
    return engine_for(release, tiny_folder)


def backend_in_use() -> str:
    from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

    return AttentionBackendName(_AttentionBackendRegistry.get_active_backend()[0]).value


def test_a_tier_computes_attention_with_its_backend(
    engine: ReferenceEngine, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    before, seen = backend_in_use(), list[str]()
    kernels: list[Any] = []
    original = torch.nn.attention.sdpa_kernel
    monkeypatch.setattr(
        torch.nn.attention, "sdpa_kernel", lambda kernel: kernels.append(kernel) or original(kernel)
    )
    engine.render(request_in(release, "math"), lambda step, steps: seen.append(backend_in_use()))
    assert seen[1:] == ["_native_math"] * 8
    assert kernels
    assert set(kernels) == {torch.nn.attention.SDPBackend.MATH}
    assert backend_in_use() == before


def test_an_attention_backend_is_taken_back_when_a_render_ends_badly(
    engine: ReferenceEngine, release: Release
) -> None:
    before = backend_in_use()
    first = engine.render(request_in(release, "plain")).frames

    def stop(step: int, steps: int) -> None:
        if step == 1:
            raise KeyError("enough")

    with pytest.raises(KeyError):
        engine.render(request_in(release, "math"), stop)
    assert backend_in_use() == before
    assert np.array_equal(engine.render(request_in(release, "plain")).frames, first)


def test_a_tier_decodes_in_tiles_and_the_next_in_one(
    engine: ReferenceEngine, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = engine._pipeline.vae
    shapes: list[tuple[int, ...]] = []
    decoder = type(vae.decoder).forward

    def watched(self: Any, latents: Any, *args: Any, **kwargs: Any) -> Any:
        shapes.append(tuple(latents.shape[-2:]))
        return decoder(self, latents, *args, **kwargs)

    monkeypatch.setattr(type(vae.decoder), "forward", watched)

    def tiles(tier: str) -> tuple[set[tuple[int, ...]], np.ndarray]:
        shapes.clear()
        frames = engine.render(request_in(release, tier)).frames
        return set(shapes), frames

    whole, expected = tiles("plain")
    assert whole == {(8, 8)}, "64 pixels, 8 to a latent"
    tiled, frames = tiles("tiled")
    assert max(tiled) == (6, 6)
    assert len(tiled) > 1, "those at the edges are smaller"
    assert frames.shape == expected.shape
    assert not np.array_equal(frames, expected)
    assert tiles("untiled")[0] == {(8, 8)}, "a clip that is not larger than a tile is one"
    again, frames = tiles("plain")
    assert again == whole
    assert np.array_equal(frames, expected)
