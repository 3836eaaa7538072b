"""A manifest to write, read and break."""

from collections.abc import Iterable
from datetime import UTC, datetime

from wan_pipelines.encoding.manifest import (
    Parent,
    Rendition,
    Shape,
    VideoManifest,
    WeightsOrigin,
)
from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.engines.protocol import StageSeconds
from wan_pipelines.engines.requests import Sampling

RENDER_KEY = "ab" * 32
DIGEST = "cd" * 32


def manifest_of(published: Iterable[RenditionFile]) -> VideoManifest:
    """The manifest of a take with these files."""
    return VideoManifest(
        created_at=datetime(2026, 1, 31, 12, 30, tzinfo=UTC),
        tenant="acme",
        prompt="Ein roter Ball springt über “Gräben” 🎈",
        negative_prompt="",
        seed=7,
        shape=Shape(width=96, height=64, frames=17, fps=8),
        tier="final",
        sampling=Sampling(20, 3.0, 3.0, 5.0, "unipc", 512),
        release="wan-tiny",
        release_identity=DIGEST,
        weights=WeightsOrigin(revision="r1", files={"vae/model.safetensors": DIGEST}),
        engine="reference",
        fingerprint={"torch": "2.13.0", "threads": 1, "gpu_memory_gib": 0.0},
        code_version="0.1.0",
        render_key=RENDER_KEY,
        take_id="take-1",
        run_id="run-1",
        step_key="render[0]",
        stage_seconds=StageSeconds(0.1, 0.5, 0.25, 0.125),
        gpu_seconds=0.975,
        renditions=tuple(map(Rendition.of, published)),
        parents=(
            Parent(kind="release", name="wan-tiny", digest=DIGEST),
            Parent(kind="edition", name="demo/2026-01-31"),
        ),
    )


def rendition_file() -> RenditionFile:
    """A published file that was never made."""
    return RenditionFile(
        name="h264",
        key=f"tenants/acme/videos/ab/{RENDER_KEY}/take-1/h264.mp4",
        uri="file:///srv/videos/h264.mp4",
        sha256=DIGEST,
        size_bytes=3434,
        codec="h264",
        width=96,
        height=64,
        fps=8.0,
        frames=17,
        duration_seconds=2.125,
        signature="1:3434",
    )
