"""Room for weights: what was used least recently goes first, what is in use never."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from wan_pipelines.errors import WeightsError
from wan_pipelines.units import GB
from wan_pipelines.weights.events import Evicted, Tell
from wan_pipelines.weights.node.entry import LOCKS, MIRRORED, Entry, disk_bytes, entries
from wan_pipelines.weights.node.locks import in_use, unused

SPARE_BYTES = 64 << 20
"""Stays free on the disk, for locks, markers and the file system's own."""


def evict(entry: Entry, tell: Tell) -> int:
    """Remove a set if nobody uses it; the bytes that are free now, 0 if somebody does."""
    with unused(entry) as free:
        if not free or not entry.folder.is_dir():
            return 0
        freed = entry.disk_bytes()
        grave = entry.folder.with_name(f".evicted-{uuid4().hex}")
        entry.folder.rename(grave)
    shutil.rmtree(grave, ignore_errors=True)  # another process may sweep it at the same time
    tell(Evicted(entry.label, freed))
    return freed


def sweep(cache: Path) -> None:
    """Remove what an eviction that was killed left."""
    for grave in (cache / MIRRORED).glob(".evicted-*"):
        shutil.rmtree(grave, ignore_errors=True)


def make_room(entry: Entry, need_bytes: int, keep_bytes: int | None, tell: Tell) -> None:
    """Evict others until `need_bytes` more of this set fit; WeightsError if they never do.

    `keep_bytes` is the most that the cache may take, if it has a limit. What was put aside of this
    set is the first to go. The caller holds the set's lock.
    """
    if _lacking(entry, need_bytes, keep_bytes):
        shutil.rmtree(entry.quarantine, ignore_errors=True)
    others = [each for each in entries(entry.cache) if each.label != entry.label]
    for other in others:
        if not _lacking(entry, need_bytes, keep_bytes):
            return
        evict(other, tell)
    if why := _lacking(entry, need_bytes, keep_bytes):
        used = ", ".join(each.label for each in others if in_use(each))
        beside = ", ".join(beside_sets(entry.cache))
        raise WeightsError(
            f"{entry.label} needs {need_bytes / GB:.2f} GB more in {entry.cache}, {why}. "
            + (f"In use, and so kept: {used}. " if used else "")
            + (f"Of no mirror, and so kept: {beside}. " if beside else "")
            + "Free space, raise `weights.keep_gb`, or point `cache` at another disk."
        )


def evict_to(cache: Path, limit_bytes: int, tell: Tell) -> Iterator[Entry]:
    """Evict until the cache takes no more than this, as far as nobody uses what is there."""
    sweep(cache)
    for entry in entries(cache):
        if disk_bytes(cache) <= limit_bytes:
            return
        if evict(entry, tell):
            yield entry


def beside_sets(cache: Path) -> list[str]:
    """What lies in a cache beside mirrored sets: folders that came from a hub itself."""
    ours = {MIRRORED, LOCKS}
    return sorted(each.name for each in cache.glob("*/") if each.name not in ours)


def _lacking(entry: Entry, need_bytes: int, keep_bytes: int | None) -> str:
    """What is in the way of so many bytes more; empty if nothing is."""
    free = shutil.disk_usage(entry.cache).free
    if free < need_bytes + SPARE_BYTES:
        return f"where the disk has {free / GB:.2f} GB free"
    if keep_bytes is not None and disk_bytes(entry.cache) + need_bytes > keep_bytes:
        return f"where weights may take {keep_bytes / GB:.2f} GB in all"
    return ""
