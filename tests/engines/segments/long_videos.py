"""The shipped checkpoint with short segments, so that long videos are drawn in a moment."""

from pathlib import Path
from typing import Any

from wan_pipelines.engines.prepare import load, prepare
from wan_pipelines.engines.reference import ReferenceEngine
from wan_pipelines.engines.releases import Release, read_release
from wan_pipelines.engines.requests import RenderRequest

ROOT = Path(__file__).parents[3]
SEGMENTS = {"frames": 17, "overlap": 9, "max": 49}
FRAMES = 29
"""Three segments: 17, 8 and 4 new frames."""


def long_release(**segments: Any) -> Release:
    """`wan-tiny` that draws 17 frames at once."""
    shipped = read_release(ROOT / "assets" / "models" / "wan-tiny" / "defs.yaml")
    attributes = shipped.model_dump(by_alias=True)
    attributes |= {
        "frames": {"min": 9, "max": 17, "default": 17},
        "segments": {**SEGMENTS, **segments},
    }
    return Release.model_validate(attributes)


def engine_of(release: Release, cache: Path) -> ReferenceEngine:
    engine = load(prepare(release, cache, threads=1, digests=False))
    assert isinstance(engine, ReferenceEngine)
    return engine


def long_request(release: Release, frames: int = FRAMES, tier: str = "draft") -> RenderRequest:
    return RenderRequest(
        release=release.name,
        release_identity=release.identity,
        prompt="a red ball moving left to right on a black background",
        negative_prompt="",
        seed=1,
        width=128,
        height=128,
        frames=frames,
        sampling=release.sampling(tier),
        segments=release.segments_text(frames),
    )
