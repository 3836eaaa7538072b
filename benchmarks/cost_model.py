"""What a thousand 720p videos take on eight H100, by how workers go about them.

Seconds of a video and of a start are the product's own estimates; what encoding takes is measured
here, on one core of this machine.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.deployment import CAMPAIGN, deployed
from benchmarks.processes import spent_by_children
from benchmarks.results import Row, show_and_keep
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.encode import encode
from wan_pipelines.encoding.renditions import rendition_specs
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.ledger.money import usd
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.studio import Studio

RELEASE = "wan2.2-t2v-a14b"
VIDEOS, GPUS = 1000, 8
PRICE = "2.69"
HANDING_OVER_SECONDS = 0.01
"""Leases and handing over, a video: what the warm loop's benchmark finds."""
UPLOAD_SECONDS = 1.0
"""Assumed: some 10 MB to an object store, with a manifest."""
ENVIRONMENT: dict[str, Any] = {
    "gpu_class": "h100",
    "gpu_classes": {"h100": {"price_usd_per_hour": PRICE}},
    "workers": {"count": GPUS},
}


@dataclass(frozen=True, slots=True)
class Way:
    """How a GPU's share of the videos is rendered: so many by one process.

    tail_aside: whether the next video renders while one is encoded and published.
    """

    name: str
    videos_per_process: int
    tail_aside: bool = True


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of a start, of a video, and of what comes after it."""

    start: float
    video: float
    tail: float

    def paid(self, way: Way) -> float:
        """Seconds for which one GPU is paid: the last video of a process is always waited for."""
        videos = VIDEOS / GPUS
        processes = ceil(videos / way.videos_per_process)
        tails = processes if way.tail_aside else videos
        warm = videos * (self.video + HANDING_OVER_SECONDS)
        return processes * self.start + warm + tails * self.tail


def run(tier: str) -> None:
    with studio_of(tier) as studio:
        shot, estimator = studio.shots(CAMPAIGN)[0], Estimator(studio)
        costs = Costs(
            start=estimator.start_seconds(shot.request),
            video=estimator.seconds(shot),
            tail=encode_seconds(shot, studio) + UPLOAD_SECONDS,
        )
        rows = [_row(way, costs, estimator) for way in _ways(studio, costs)]
    title = (
        f"{VIDEOS:,} videos of tier {tier} on {GPUS} H100 at ${PRICE} an hour: a video takes "
        f"{costs.video:.1f} s, a start {costs.start:.0f} s, encoding and upload {costs.tail:.1f} s"
    )
    show_and_keep(f"cost_model_{tier}", {title: rows})


def _ways(studio: Studio, costs: Costs) -> tuple[Way, ...]:
    share, usual = ceil(VIDEOS / GPUS), studio.settings.workers.shard_minutes
    shards = (
        Way(f"shards of {minutes:g} minutes", max(1, min(share, round(minutes * 60 / costs.video))))
        for minutes in (usual, 2 * usual, 4 * usual)
    )
    return (
        Way("a process a video", 1),
        Way("one shard a GPU, encoding in between", share, tail_aside=False),
        *shards,
        Way("recycled after 10 videos", 10),
        Way("one shard a GPU", share),
    )


def _row(way: Way, costs: Costs, estimator: Estimator) -> Row:
    paid = costs.paid(way)
    total = estimator.micro_usd(paid * GPUS)
    return {
        "way": way.name,
        "videos_a_process": way.videos_per_process,
        "gpu_busy": f"{VIDEOS / GPUS * costs.video / paid:.1%}",
        "hours": round(paid / 3600, 2),
        "usd": f"{usd(total):.2f}",
        "usd_a_video": f"{usd(total) / VIDEOS:.4f}",
    }


def encode_seconds(shot: Shot, studio: Studio) -> float:
    """Processor seconds of one core for all renditions and pictures of a video."""
    engine = NullEngine(studio.release(RELEASE))
    request = replace(shot.request, sampling=replace(shot.request.sampling, steps=1))
    footage = engine.render(request)
    with tempfile.TemporaryDirectory() as folder:
        began = process_time() + spent_by_children()
        encode(footage.frames, shot.fps, rendition_specs(shot.renditions), Path(folder) / "drafts")
        return process_time() + spent_by_children() - began


@contextmanager
def studio_of(tier: str) -> Iterator[Studio]:
    """A deployment of H100s with a campaign of the release's first shape, at full length."""
    brief = {"release": RELEASE, "tier": tier, "shapes": ["landscape"]}
    with deployed(10, brief=brief, **ENVIRONMENT) as deployment:
        yield deployment.studio()
