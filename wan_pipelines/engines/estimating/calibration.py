"""What takes tell about estimates: how much longer, and with how much memory, they really ran.

Ratios of actual to estimated seconds are pooled by what makes takes alike. Their median corrects
the estimate, their spread says how sure it is (`intervals`). After an engine has changed, what it
renders since counts alone, once that is enough; until then, all of it, and for less sure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Generic, TypeVar

from wan_pipelines.engines.estimating.intervals import Spread, next_one, spread_of

Bucket = TypeVar("Bucket")
Pool = TypeVar("Pool")

LEAST_TAKES = 3
"""Fewer say nothing: the first take of an engine warms it up."""
LEAST_SPREAD = 0.05
"""The spread is never narrower than this, either way."""
OTHER_SHAPES_SPREAD = 0.15
"""The same where only other shapes, tiers, or the engine before it changed are known."""
PUBLISHED_OWN = 0.05
"""What a take differs by of its own where nothing was rendered here yet: the rest is shared."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What an estimate is multiplied with; `low` and `high` hold eight takes in ten.

    spread: what a sum of shots is estimated with.
    takes: how many it rests on; none where it rests on published figures alone.
    alike: they were of the same shape and sampling.
    peak_bytes: the most memory a take alike needed, if that is known.
    """

    ratio: float
    low: float
    high: float
    spread: Spread
    takes: int = 0
    alike: bool = False
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Evidence(Generic[Bucket, Pool]):
    """One take: the bucket of what is alike, the pool of what is similar, and how it went.

    `worker` rendered it, `at` a moment (any number that grows), with `engine` as it was then.
    """

    bucket: Bucket
    pool: Pool
    estimated_seconds: float
    actual_seconds: float
    peak_bytes: int
    worker: str = ""
    engine: str = ""
    at: float = 0.0

    @property
    def ratio(self) -> float:
        return self.actual_seconds / self.estimated_seconds


@dataclass(frozen=True, slots=True)
class Calibration(Generic[Bucket, Pool]):
    """Corrections by bucket, and by pool where a bucket has too few takes."""

    buckets: Mapping[Bucket, Correction]
    pools: Mapping[Pool, Correction]

    def correction(self, bucket: Bucket, pool: Pool, published_spread: float) -> Correction:
        """The best there is; without takes, the estimate as it is, within `published_spread`."""
        spread = Spread(1.0, PUBLISHED_OWN, published_spread)
        nothing = Correction(1.0, 1 - published_spread, 1 + published_spread, spread)
        return self.buckets.get(bucket) or self.pools.get(pool) or nothing


def calibrate(evidence: Iterable[Evidence[Bucket, Pool]]) -> Calibration[Bucket, Pool]:
    """Corrections from takes, in whatever order they come."""
    buckets: dict[Bucket, list[Evidence[Bucket, Pool]]] = {}
    pools: dict[Pool, list[Evidence[Bucket, Pool]]] = {}
    for each in evidence:
        buckets.setdefault(each.bucket, []).append(each)
        pools.setdefault(each.pool, []).append(each)
    return Calibration(
        {key: _of_alike(takes) for key, takes in buckets.items() if len(takes) >= LEAST_TAKES},
        {key: _of_similar(takes) for key, takes in pools.items() if len(takes) >= LEAST_TAKES},
    )


def _of_alike(takes: Sequence[Evidence[Bucket, Pool]]) -> Correction:
    peak = max(take.peak_bytes for take in takes)
    latest = _of_latest_engine(takes)
    least = LEAST_SPREAD if len(latest) >= LEAST_TAKES else OTHER_SHAPES_SPREAD
    found = _correction(latest if len(latest) >= LEAST_TAKES else takes, least)
    return replace(found, alike=True, peak_bytes=peak)


def _of_similar(takes: Sequence[Evidence[Bucket, Pool]]) -> Correction:
    latest = _of_latest_engine(takes)
    return _correction(latest if len(latest) >= LEAST_TAKES else takes, OTHER_SHAPES_SPREAD)


def _of_latest_engine(
    takes: Sequence[Evidence[Bucket, Pool]],
) -> Sequence[Evidence[Bucket, Pool]]:
    latest = max(takes, key=lambda take: (take.at, take.engine)).engine
    return [take for take in takes if take.engine == latest]


def _correction(takes: Sequence[Evidence[Bucket, Pool]], least: float) -> Correction:
    """The median, and what eight in ten lie between, at least `least` of the median from it."""
    in_order = sorted(takes, key=lambda take: (take.ratio, take.worker))
    ratios = [take.ratio for take in in_order]
    middle = median(ratios)
    low, high = next_one(ratios)
    spread = spread_of(ratios, [take.worker for take in in_order])
    wide = replace(spread, shared=max(spread.shared, least * spread.mean))
    low, high = min(low, middle * (1 - least)), max(high, middle * (1 + least))
    return Correction(middle, low, high, wide, len(takes))
