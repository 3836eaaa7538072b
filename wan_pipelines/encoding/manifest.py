"""The manifest beside each video: what it shows, how it was made, by what, from what, at what cost.

Its JSON schema is published as `docs/video-manifest.schema.json`.
"""

import json
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, Field

from wan_pipelines.encoding.fidelity import FidelityScore
from wan_pipelines.encoding.renditions import Codec, RenditionFile
from wan_pipelines.engines.protocol import EAGER, Compilation, StageSeconds
from wan_pipelines.engines.requests import Sampling
from wan_pipelines.engines.segments.seams import Seam
from wan_pipelines.records import Record

MANIFEST_NAME: Final = "manifest.json"
SCHEMA_NAME: Final = "video-manifest.schema.json"

Name = Annotated[str, Field(min_length=1, max_length=512)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, in hexadecimal.")]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Shape(Record):
    """The picture size in pixels, the number of frames, and how many are shown per second."""

    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    frames: Annotated[int, Field(gt=0)]
    fps: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class WeightsOrigin(Record):
    """The weights that were loaded."""

    revision: Name = Field(description="The pinned revision of the weights.")
    files: dict[Name, Sha256] = Field(description="Each file's path, with the digest it had.")


class Parent(Record):
    """Something the video was made from."""

    kind: Literal["release", "weights", "engine", "brief", "edition", "video"]
    name: Name
    digest: Sha256 | None = Field(default=None, description="None where it has no fixed content.")


class Rendition(Record):
    """One file beside the manifest; `fps` and `duration_seconds` are 0 for a still picture."""

    name: Name
    file: Name = Field(description="Its file name, in the folder of the manifest.")
    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0)]
    codec: Codec
    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    fps: Amount
    frames: Annotated[int, Field(gt=0)]
    duration_seconds: Amount

    @classmethod
    def of(cls, published: RenditionFile) -> Self:
        """What stays true of a published file when the store is moved."""
        file = published.key.rpartition("/")[2]
        facts = {name: getattr(published, name) for name in cls.model_fields if name != "file"}
        return cls(file=file, **facts)


class Requested(Record):
    """What was asked for, where memory or time was only enough for something else."""

    rungs: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(
        description="Rungs of the release's ladder that it was drawn on instead, the lowest last."
    )
    changes_pixels: bool = Field(description="False where only memory was used otherwise.")
    release: Name
    release_identity: Sha256
    tier: Name
    sampling: Sampling


class VideoManifest(Record):
    """One accepted take and its renditions."""

    schema_version: Literal[1] = Field(default=1, description="Version of this document.")
    created_at: AwareDatetime = Field(description="When the take was finished.")
    tenant: Name = Field(description="Who pays.")

    prompt: str
    negative_prompt: str
    seed: Annotated[int, Field(ge=0)]
    shape: Shape
    tier: Name = Field(description="The quality; `sampling` says what it is.")
    sampling: Sampling = Field(description="The numbers that the tier stands for.")

    release: Name = Field(description="The model, by its name in the assets.")
    release_identity: Sha256 = Field(description="Digest of what decides the release's pixels.")
    weights: WeightsOrigin
    engine: Name = Field(description="How the release was run.")
    fingerprint: dict[str, str | int | float] = Field(
        description="Versions and hardware of the process that rendered."
    )
    code_version: Name = Field(description="Version of wan_pipelines.")

    requested: Requested | None = Field(
        default=None,
        description="What was asked for where the video was drawn with less; the fields above say "
        "what it was drawn with.",
    )
    render_key: Sha256 = Field(
        description="Digest of everything that decides the pixels that were asked for."
    )
    take_id: Name = Field(description="The attempt that was accepted.")
    run_id: Name = Field(description="The Dagster run.")
    step_key: Name = Field(description="The step of that run.")

    compilation: Compilation = Field(
        default=EAGER,
        description="Artifacts (sha256) whose compiled code drew it, or why there were none.",
    )
    seams: tuple[Seam, ...] = Field(
        default=(),
        description="Where the segments of a long video meet, and how well: likeness of the frames "
        "that both drew, and motion across the seam in multiples of the largest within them.",
    )
    resumed_steps: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="Denoising steps that earlier attempts did, which were charged to them; the "
        "seconds below are those of the other steps.",
    )
    stage_seconds: StageSeconds = Field(description="Wall seconds of each stage of rendering.")
    gpu_seconds: Amount = Field(description="GPU count x wall seconds of this take alone.")
    charge_micro_usd: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Its share of what was paid; null until the worker has ended."
    )

    fidelity: FidelityScore | None = Field(
        default=None, description="Whether it shows what the prompt asks for, where measured."
    )

    renditions: Annotated[tuple[Rendition, ...], Field(min_length=1)]
    parents: tuple[Parent, ...] = Field(default=(), description="What the video was made from.")

    def to_text(self) -> str:
        """The JSON document, with a line end."""
        return self.model_dump_json(indent=2) + "\n"


def schema_text() -> str:
    """The JSON schema of manifests, as documentation."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **VideoManifest.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2) + "\n"


def write_schema(folder: Path) -> Path:
    """Write the JSON schema to `folder`; `docs` is where it belongs."""
    path = folder / SCHEMA_NAME
    path.write_text(schema_text())
    return path
