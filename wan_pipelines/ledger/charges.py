"""Splits what a worker was paid over what it did, to the micro-dollar.

Time that belongs to a take is charged to it. Time that belongs to none (loading, waiting, idling)
is spread over the worker's takes in proportion to their own time; a worker without takes keeps it.
Everything is integers, and shares are rounded by largest remainder, so that their sum is the
amount that was paid, always.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spent:
    """Wall time of a worker: `kind` of work, and the take it belongs to, if any."""

    kind: str
    microseconds: int
    take_id: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what was paid; without `take_id` it is the worker's overhead."""

    take_id: str | None
    kind: str
    gpu_microseconds: int
    micro_usd: int


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Split a non-negative integer in proportion to integer weights, by largest remainder.

    Ties go to the earlier weight. The parts add up to `total`; at least one weight is positive.
    """
    whole = sum(weights)
    quotients = [divmod(total * weight, whole) for weight in weights]
    parts = [quotient for quotient, _ in quotients]
    by_remainder = sorted(range(len(weights)), key=lambda index: -quotients[index][1])
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def split(micro_usd: int, gpu_microseconds: int, spent: Iterable[Spent]) -> tuple[Share, ...]:
    """Split money and GPU time over takes and kinds; both add up exactly."""
    weights = _weights(spent)
    if not weights:
        weights = {(None, "idle"): 1}
    money = apportion(micro_usd, list(weights.values()))
    time = apportion(gpu_microseconds, list(weights.values()))
    return tuple(
        Share(take_id, kind, gpu_microseconds=part, micro_usd=amount)
        for (take_id, kind), part, amount in zip(weights, time, money, strict=True)
        if part or amount
    )


def _weights(spent: Iterable[Spent]) -> dict[tuple[str | None, str], int]:
    """Integer weights by take and kind, exactly proportional to direct plus spread time."""
    own: dict[tuple[str, str], int] = defaultdict(int)
    shared: dict[str, int] = defaultdict(int)
    takes: dict[str, int] = defaultdict(int)
    for span in spent:
        if span.take_id is None:
            shared[span.kind] += span.microseconds
        else:
            own[span.take_id, span.kind] += span.microseconds
            takes[span.take_id] += span.microseconds
    direct = sum(takes.values())
    weights: dict[tuple[str | None, str], int] = defaultdict(int)
    for kind, microseconds in shared.items():
        if not direct:
            weights[None, kind] += microseconds
        for take_id, share in takes.items():
            weights[take_id, kind] += microseconds * share
    for cell, microseconds in own.items():
        weights[cell] += microseconds * direct
    return {cell: weight for cell, weight in weights.items() if weight}
