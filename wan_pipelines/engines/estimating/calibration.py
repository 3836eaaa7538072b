"""What takes tell about estimates: how much longer, and with how much memory, they really ran.

Ratios of actual to estimated seconds are pooled by what makes takes alike. Their median corrects
the estimate, their spread says how sure it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Generic, TypeVar

Bucket = TypeVar("Bucket")
Pool = TypeVar("Pool")

LEAST_TAKES = 3
"""Fewer say nothing: the first take of an engine warms it up."""
WIDE_TAKES = 10
"""With fewer, the spread is the whole range of what was seen."""
LEAST_SPREAD = 0.05
"""The spread is never narrower than this, either way."""
OTHER_SHAPES_SPREAD = 0.15
"""The same where only takes of other shapes or tiers are known."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What an estimate is multiplied with; `low` and `high` hold eight takes in ten.

    takes: how many it rests on; none where it rests on published figures alone.
    alike: they were of the same shape and sampling.
    peak_bytes: the most memory a take alike needed, if that is known.
    """

    ratio: float
    low: float
    high: float
    takes: int = 0
    alike: bool = False
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Evidence(Generic[Bucket, Pool]):
    """One take: the bucket of what is alike, the pool of what is similar, and how it went."""

    bucket: Bucket
    pool: Pool
    estimated_seconds: float
    actual_seconds: float
    peak_bytes: int

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
        nothing = Correction(1.0, 1 - published_spread, 1 + published_spread)
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
    middle, low, high = _spread([take.ratio for take in takes], LEAST_SPREAD)
    peak = max(take.peak_bytes for take in takes)
    return Correction(middle, low, high, len(takes), alike=True, peak_bytes=peak)


def _of_similar(takes: Sequence[Evidence[Bucket, Pool]]) -> Correction:
    middle, low, high = _spread([take.ratio for take in takes], OTHER_SHAPES_SPREAD)
    return Correction(middle, low, high, len(takes))


def _spread(ratios: Sequence[float], least: float) -> tuple[float, float, float]:
    """Median, and what eight in ten lie between, at least `least` of the median away from it."""
    middle = median(ratios)
    if len(ratios) < WIDE_TAKES:
        low, high = min(ratios), max(ratios)
    else:
        tenths = quantiles(ratios, n=10)
        low, high = tenths[0], tenths[-1]
    return middle, min(low, middle * (1 - least)), max(high, middle * (1 + least))
