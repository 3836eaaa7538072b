"""How far what is rendered next may lie from what takes say, eight times in ten.

Ratios of actual to counted seconds differ for two reasons. Each take is a little slower or faster
of its own: over many shots that cancels out. And what takes of one worker have in common, its host,
its clocks, its neighbours, does not: it stays, however many shots there are, as does the error of a
mean of few takes. So for N shots of counted seconds c

    half a width = t x sqrt((shared x sum c)^2 + own^2 x sum c^2)

with the components of variance within and between workers (one-way analysis of variance), and
Student's t for as many takes or workers as they rest on. A single shot lies between order
statistics of the takes alike (Vovk's conformal prediction: true to its word whatever the
distribution), or, while they are too few, within Student's interval for a next one in logarithms.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, log, sqrt
from statistics import NormalDist, fmean, median, stdev

OUTSIDE = 10
"""One in so many lies below, one above."""
LEVEL = 1 - 2 / OUTSIDE
"""How often the truth lies within."""
MOST_RATIO = 4.0
"""Times the median: a take that lasts longer than that counts as that in a mean."""
_NORMAL = NormalDist().inv_cdf(1 - 1 / OUTSIDE)
_STUDENT = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372)


@dataclass(frozen=True, slots=True)
class Spread:
    """Of ratios: their mean, and half widths, Student's t included, of what each take has of its
    own and of what all have in common.
    """

    mean: float
    own: float
    shared: float


def student(degrees: int) -> float:
    """Quantile of Student's t at the upper end of `LEVEL`; to 0.5 % (Abramowitz 26.7.5)."""
    if degrees <= len(_STUDENT):
        return _STUDENT[max(1, degrees) - 1]
    return _NORMAL * (1 + (_NORMAL**2 + 1) / (4 * degrees))


def next_one(ratios: Sequence[float]) -> tuple[float, float]:
    """Within what the next ratio lies, from at least two."""
    ordered = sorted(ratios)
    number = len(ordered)
    rank = (number + 1) // OUTSIDE
    if rank:
        return ordered[rank - 1], ordered[-rank]
    logarithms = [log(ratio) for ratio in ordered]
    half = student(number - 1) * stdev(logarithms) * sqrt(1 + 1 / number)
    middle = fmean(logarithms)
    return exp(middle - half), exp(middle + half)


def spread_of(ratios: Sequence[float], workers: Sequence[str]) -> Spread:
    """Of at least two ratios, each of a take of one of the workers."""
    most = MOST_RATIO * median(ratios)
    groups: dict[str, list[float]] = defaultdict(list)
    for ratio, worker in zip(ratios, workers, strict=True):
        groups[worker].append(min(ratio, most))
    number, mean = len(ratios), fmean(value for group in groups.values() for value in group)
    within, between = _components(list(groups.values()))
    several = len(groups) > 1
    common = between * (1 + 1 / len(groups)) + within / number
    return Spread(
        mean=mean,
        own=student(number - len(groups)) * sqrt(within),
        shared=student(len(groups) - 1 if several and between else number - 1) * sqrt(common),
    )


def total(parts: Sequence[tuple[float, Spread]]) -> tuple[float, float]:
    """Within what the sum of shots lies, each of counted seconds and a spread of ratios."""
    mean = sum(seconds * spread.mean for seconds, spread in parts)
    shared = sum(seconds * spread.shared for seconds, spread in parts)
    own = sqrt(sum((seconds * spread.own) ** 2 for seconds, spread in parts))
    half = hypot(shared, own)
    return max(0.0, mean - half), mean + half


def _components(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Variances within and between groups."""
    number = sum(map(len, groups))
    means = [fmean(group) for group in groups]
    if number == len(groups):  # each alone: what is whose cannot be told
        return stdev(means) ** 2, 0.0
    squares = sum((x - m) ** 2 for group, m in zip(groups, means, strict=True) for x in group)
    within = squares / (number - len(groups))
    if len(groups) == 1:
        return within, 0.0
    grand = sum(m * len(group) for group, m in zip(groups, means, strict=True)) / number
    apart = sum(len(group) * (m - grand) ** 2 for group, m in zip(groups, means, strict=True))
    size = (number - sum(len(group) ** 2 for group in groups) / number) / (len(groups) - 1)
    return within, max(0.0, (apart / (len(groups) - 1) - within) / size)
