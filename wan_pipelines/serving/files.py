"""The files of finished jobs: a folder each."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wan_pipelines.encoding.encode import encode
from wan_pipelines.encoding.renditions import rendition_specs
from wan_pipelines.serving.jobs import Job
from wan_pipelines.serving.lossless import write_lossless

if TYPE_CHECKING:
    import numpy as np

RENDITION: Final = "h264"
VARIANTS: Final = {
    "video": (f"{RENDITION}.mp4", "video/mp4"),
    "thumbnail": ("poster.webp", "image/webp"),
    "lossless": ("lossless.mkv", "video/x-matroska"),
}
"""Downloadable assets by OpenAI's names, and ours: file and media type."""


@dataclass(frozen=True, slots=True)
class VideoFiles:
    """Below `root`; a job's folder has its id for a name."""

    root: Path

    def write(self, job: Job, frames: "np.ndarray") -> None:
        """Makes all files of a job; EncodeError if one cannot be."""
        folder = self.root / job.id
        encode(frames, job.order.fps, rendition_specs([RENDITION]), folder)
        if job.order.lossless:
            write_lossless(frames, job.order.fps, folder / VARIANTS["lossless"][0])

    def path(self, job: Job, variant: str) -> Path:
        return self.root / job.id / VARIANTS[variant][0]

    def remove(self, job_id: str) -> None:
        shutil.rmtree(self.root / job_id, ignore_errors=True)
