"""Cuts an edition into shards: what one worker renders on one warm engine."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from wan_pipelines.campaigns.shots import Shot


@dataclass(frozen=True, slots=True)
class Shard:
    """Shots of one release, in tiers that share an engine.

    `name` is unique in its cut and safe as an identifier.
    """

    name: str
    shots: tuple[Shot, ...]
    seconds: float


def cut(
    shots: Sequence[Shot],
    seconds_per_shot: Callable[[Shot], float],
    shard_seconds: float,
    workers: int,
) -> tuple[Shard, ...]:
    """Shards of about `shard_seconds`, or smaller ones if that keeps all `workers` busy.

    No shard is empty or mixes engines. Shots of one shape and sampling stand together, otherwise
    in the order given; the same input gives the same shards.
    """
    by_engine = sorted(shots, key=_bucket)
    pieces: list[tuple[Shot, ...]] = []
    for _, group in groupby(by_engine, key=_engine):
        of_engine = tuple(group)
        share = ceil(workers * len(of_engine) / len(by_engine))
        pieces += _split(of_engine, seconds_per_shot, shard_seconds, share)
    digits = len(str(len(pieces)))
    return tuple(
        Shard(f"shard_{number:0{digits}}", piece, sum(map(seconds_per_shot, piece)))
        for number, piece in enumerate(pieces, start=1)
    )


def wall_seconds(lasting: Sequence[float], workers: int) -> float:
    """When the last shard ends, if each is begun by the worker that is free first."""
    free_at = [0.0] * workers
    for seconds in lasting:
        heapq.heapreplace(free_at, free_at[0] + seconds)
    return max(free_at)


def _engine(shot: Shot) -> tuple[str, str]:
    return shot.request.release, shot.request.sampling.engine


def _bucket(shot: Shot) -> tuple[object, ...]:
    request, sampling = shot.request, shot.request.sampling
    return (
        *_engine(shot),
        sampling.loras,
        request.width,
        request.height,
        request.frames,
        sampling.options,
        sampling.scheduler,
        sampling.steps,
        sampling.guidance,
        sampling.guidance_2,
        sampling.flow_shift,
    )


def _split(
    shots: tuple[Shot, ...],
    seconds_per_shot: Callable[[Shot], float],
    shard_seconds: float,
    workers: int,
) -> list[tuple[Shot, ...]]:
    """Neighbouring shots in pieces of nearly equal seconds: each goes where its middle falls."""
    seconds = [seconds_per_shot(shot) for shot in shots]
    total = sum(seconds)
    count = min(len(shots), max(workers, ceil(total / shard_seconds)))
    pieces: list[list[Shot]] = [[] for _ in range(count)]
    begun = 0.0
    for shot, length in zip(shots, seconds, strict=True):
        pieces[min(count - 1, int((begun + length / 2) / total * count))].append(shot)
        begun += length
    return [tuple(piece) for piece in pieces if piece]
