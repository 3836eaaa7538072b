"""Ways to render videos that would have met their target, by the estimate, best first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import product
from math import ceil

from wan_pipelines.engines.measured import MeasuredTier, measured_tiers
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.ledger.prices import known_price
from wan_pipelines.pages.optimisation import Way
from wan_pipelines.studio.cost_targets import TargetVerdict
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.fitting import Fitting
from wan_pipelines.studio.studio import Studio

SHARD_TIMES = (1, 2, 4)
"""Shards are tried as long as they are, and so many times as long."""


@dataclass(frozen=True)
class _Machines:
    """A GPU class, with what is estimated on it."""

    studio: Studio

    @cached_property
    def estimator(self) -> Estimator:
        return Estimator(self.studio)

    @cached_property
    def fitting(self) -> Fitting:
        return Fitting(self.studio, self.estimator)


def ways(studio: Studio, verdict: TargetVerdict) -> tuple[Way, ...]:
    """What meets the target comes first; of that, what changes least, is best, is cheapest.

    Every tier of every release that draws such videos, on every GPU class of the environment that
    they fit, with longer shards and with one worker at a time. An estimate counts no failures.
    """
    found = {_outcome(way): way for way in reversed(list(_ways(studio, verdict)))}
    return tuple(sorted(found.values(), key=_order))


def _outcome(way: Way) -> tuple[object, ...]:
    """Ways that come to the same are one: the first, which changes least."""
    return way.release, way.tier, way.gpu_class, way.videos_per_worker


def _order(way: Way) -> tuple[object, ...]:
    quality = (-(way.prompt_fidelity or 0.0), -(way.vmaf or 0.0))
    return not way.meets, len(way.changes), quality, way.each_micro_usd


def _ways(studio: Studio, verdict: TargetVerdict) -> Iterator[Way]:
    release_name, tier_name, gpu_class_name, *shape = verdict.most
    workers = studio.settings.workers
    sizes = sorted(product(SHARD_TIMES, {workers.count, 1}), key=lambda size: (size[0], -size[1]))
    for machines in _machines(studio):
        gpu_class = machines.studio.settings.gpu_class
        for release, tier, request in _requests(studio, *shape):
            if machines.fitting.why_unfit_request(request):
                continue
            for times, count in sizes:
                minutes = times * workers.shard_minutes
                pairs = (
                    (release.name == release_name, f"release {release.name}"),
                    (tier == tier_name, f"tier {tier}"),
                    (gpu_class == gpu_class_name, f"GPU class {gpu_class}"),
                    (times == 1, f"shards of {minutes:g} minutes"),
                    (count == workers.count, "one worker at a time"),
                )
                changes = tuple(words for same, words in pairs if not same)
                yield _way(machines, verdict, request, tier, (minutes, count), changes)


def _machines(studio: Studio) -> Iterator[_Machines]:
    """Of each class that has a price now: of one whose first is still to begin nothing is known."""
    now = datetime.now(UTC)
    for name, gpu_class in studio.settings.gpu_classes.items():
        if known_price(studio.ledger, name, now, gpu_class.market):
            yield _Machines(studio.on(name))


def _requests(
    studio: Studio, width: int, height: int, frames: int
) -> Iterator[tuple[Release, str, RenderRequest]]:
    """Such a video by each tier of each release that draws it."""
    for release in studio.releases.values():
        offered = {(size.width, size.height) for size in release.sizes.offered}
        if (width, height) not in offered or not release.draws(frames):
            continue
        for tier in release.tiers:
            yield (
                release,
                tier,
                RenderRequest(
                    release=release.name,
                    release_identity=release.identity,
                    prompt="",
                    negative_prompt="",
                    seed=0,
                    width=width,
                    height=height,
                    frames=frames,
                    sampling=release.sampling(tier),
                    segments=release.segments_text(frames),
                ),
            )


def _way(
    machines: _Machines,
    verdict: TargetVerdict,
    request: RenderRequest,
    tier: str,
    size: tuple[float, int],
    changes: tuple[str, ...],
) -> Way:
    (minutes, workers), videos = size, max(1, verdict.videos)
    estimate = machines.estimator.of_request(request)
    start = machines.estimator.start_seconds(request)
    shards = min(videos, max(workers, ceil(videos * estimate.seconds / (60 * minutes))))
    each = machines.estimator.micro_usd(estimate.seconds + start * shards / videos)
    quality = _quality(machines.studio, request.release, tier)
    return Way(
        release=request.release,
        tier=tier,
        gpu_class=machines.studio.settings.gpu_class,
        shard_minutes=minutes,
        workers=workers,
        changes=changes,
        seconds=round(estimate.seconds, 3),
        start_seconds=round(start, 3),
        videos_per_worker=round(videos / shards, 2),
        each_micro_usd=each,
        meets=each <= verdict.target_micro_usd,
        basis=estimate.basis,
        prompt_fidelity=quality.prompt_fidelity if quality else None,
        vmaf=quality.vmaf if quality else None,
    )


def _quality(studio: Studio, release: str, tier: str) -> MeasuredTier | None:
    return measured_tiers(studio.root / "assets" / "models" / release).get(tier)
