"""What shots are expected to take, need and cost here, and how sure that is.

One way for all: counted work on the environment's GPU class, corrected by the takes in the ledger.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.estimating.calibration import (
    Calibration,
    Correction,
    Evidence,
    calibrate,
)
from wan_pipelines.engines.estimating.intervals import Spread, total
from wan_pipelines.engines.estimating.jobs import Job
from wan_pipelines.engines.estimating.machines import MachineClass
from wan_pipelines.engines.estimating.memory import estimate_memory
from wan_pipelines.engines.estimating.models import Model
from wan_pipelines.engines.estimating.of_release import jobs_of, release_model
from wan_pipelines.engines.estimating.seconds import estimate_seconds
from wan_pipelines.engines.estimating.starting import start_seconds
from wan_pipelines.engines.requests import RenderRequest, Sampling
from wan_pipelines.ledger.moments import micros_in
from wan_pipelines.ledger.money import price_of
from wan_pipelines.ledger.reports.overheads import worker_overheads
from wan_pipelines.ledger.reports.paces import Pace, paces
from wan_pipelines.rendering.shards import Shard, cut
from wan_pipelines.studio.capacity import capacity_of
from wan_pipelines.studio.prices import hourly_price
from wan_pipelines.studio.studio import Studio

Bucket = tuple[str, int, int, int, Sampling, str]
"""Takes with the same are alike: release identity, width, height, frames, sampling, segments."""


@dataclass(frozen=True, slots=True)
class ShotEstimate:
    """Seconds on a warm worker, within what lies eight in ten, and the most memory of a GPU.

    takes: how many takes here it was corrected by; `alike` says of the same shape and sampling.
    segments: how many clips the video is joined of.
    counted_seconds, spread: what a sum of shots is estimated from.
    """

    seconds: float
    low_seconds: float
    high_seconds: float
    peak_bytes: int
    takes: int
    alike: bool
    counted_seconds: float
    spread: Spread
    segments: int = 1

    @property
    def basis(self) -> str:
        """What it rests on, in words."""
        if not self.takes:
            return "published figures"
        return f"{self.takes} takes {'like it' if self.alike else 'of other shapes or tiers'} here"


def seconds_between(estimates: Iterable[ShotEstimate]) -> tuple[float, float]:
    """Within what all together lie, eight times in ten; see `engines.estimating.intervals`."""
    found = list(estimates)
    if len(found) == 1:
        return found[0].low_seconds, found[0].high_seconds
    return total([(estimate.counted_seconds, estimate.spread) for estimate in found])


class Estimator:
    """Estimates for one environment as its ledger stands; make a new one to learn of new takes."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.capacity = capacity_of(studio.settings)
        self._models: dict[str, Model] = {}
        self._known: dict[Bucket, ShotEstimate] = {}

    def of(self, shot: Shot) -> ShotEstimate:
        """The estimate of a shot, rendered or not."""
        return self.of_request(shot.request)

    def of_request(self, request: RenderRequest) -> ShotEstimate:
        """As `of`; shots of the same bucket are counted once."""
        bucket = _bucket(request)
        if bucket not in self._known:
            self._known[bucket] = self._estimate(request, bucket)
        return self._known[bucket]

    def seconds(self, shot: Shot) -> float:
        """How long a shot is expected to hold a worker."""
        return self.of(shot).seconds

    def shards(self, shots: Sequence[Shot]) -> tuple[Shard, ...]:
        """The shots in shards of the environment's size, each for one worker."""
        workers = self._studio.settings.workers
        return cut(shots, self.seconds, workers.shard_minutes * 60, workers.count)

    @property
    def workers(self) -> int:
        """How many work at a time."""
        return self._studio.settings.workers.count

    def start_seconds(self, request: RenderRequest) -> float:
        """What a worker is paid for besides rendering: it starts, it loads, it waits."""
        known = self._overheads.get(request.release)
        if known is not None:
            return known
        return start_seconds(self.jobs(request)[0], self.capacity.machine)

    def micro_usd(self, seconds: float) -> int:
        """What a worker costs for so long, at today's price."""
        return price_of(
            gpu_count=self._studio.settings.rendering_class.gpu_count,
            microseconds=micros_in(seconds),
            micro_usd_per_gpu_hour=self._hourly_price,
        )

    def jobs(self, request: RenderRequest) -> tuple[Job, ...]:
        """The counted work of a request: of each of its segments, which are rendered in turn."""
        release = self._studio.release(request.release)
        if release.name not in self._models:
            folder = self._studio.cache / "weights"
            self._models[release.name] = release_model(release, folder)
        return jobs_of(release, self._models[release.name], request)

    def _estimate(self, request: RenderRequest, bucket: Bucket) -> ShotEstimate:
        jobs, machine = self.jobs(request), self.capacity.machine
        correction = self._correction(request, bucket)
        counted = _seconds(jobs, machine)
        return ShotEstimate(
            seconds=counted * correction.ratio,
            low_seconds=counted * correction.low,
            high_seconds=counted * correction.high,
            peak_bytes=correction.peak_bytes
            or max(estimate_memory(job, machine).peak for job in jobs),
            takes=correction.takes,
            alike=correction.alike,
            counted_seconds=counted,
            spread=correction.spread,
            segments=len(jobs),
        )

    def _correction(self, request: RenderRequest, bucket: Bucket) -> Correction:
        identity = request.release_identity
        return self._calibration.correction(bucket, identity, self.capacity.machine.spread)

    @cached_property
    def _hourly_price(self) -> int:
        return hourly_price(self._studio)

    @cached_property
    def _overheads(self) -> Mapping[str, float]:
        settings = self._studio.settings
        count = settings.rendering_class.gpu_count
        return worker_overheads(self._studio.ledger, settings.gpu_class, count)

    @cached_property
    def _calibration(self) -> Calibration[Bucket, str]:
        return calibrate(self._evidence())

    def _evidence(self) -> Iterator[Evidence[Bucket, str]]:
        """Whole takes of the releases as they are now."""
        settings = self._studio.settings
        count = settings.rendering_class.gpu_count
        counted: dict[Bucket, float] = {}
        for pace in paces(self._studio.ledger, settings.gpu_class, count):
            request = RenderRequest.from_json(pace.request)
            release = self._studio.releases.get(request.release)
            if release is None or release.identity != request.release_identity:
                continue
            if not _is_telling(pace, request, len(release.pieces(request))):
                continue
            bucket = _bucket(request)
            if bucket not in counted:
                counted[bucket] = _seconds(self.jobs(request), self.capacity.machine)
            yield Evidence(
                bucket=bucket,
                pool=request.release_identity,
                estimated_seconds=counted[bucket],
                actual_seconds=pace.microseconds / 1e6,
                peak_bytes=pace.peak_memory_bytes,
                worker=pace.worker_id,
                engine=pace.engine,
                at=pace.started_at,
            )


def _seconds(jobs: Sequence[Job], machine: MachineClass) -> float:
    return sum(estimate_seconds(job, machine).total for job in jobs)


def _is_telling(pace: Pace, request: RenderRequest, segments: int) -> bool:
    """Not one that went on from a checkpoint, drew a segment again, or drew nothing."""
    return pace.steps == segments * request.sampling.steps and pace.microseconds > 0


def _bucket(request: RenderRequest) -> Bucket:
    return (
        request.release_identity,
        request.width,
        request.height,
        request.frames,
        request.sampling,
        request.segments,
    )
