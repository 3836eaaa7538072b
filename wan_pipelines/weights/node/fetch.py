"""A set of weights on this node, whole: fetched by one process for all of them."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from wan_pipelines.errors import FetchStopped, WeightsError
from wan_pipelines.units import GB
from wan_pipelines.weights.events import Ready, Waiting
from wan_pipelines.weights.manifest import MANIFEST_NAME, Manifest
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.node.completion import Completion
from wan_pipelines.weights.node.entry import Entry
from wan_pipelines.weights.node.fetching import Fetching
from wan_pipelines.weights.node.locks import POLL_SECONDS, hold, sole_fetcher
from wan_pipelines.weights.node.ready import whole
from wan_pipelines.weights.pins import Pin


def fetch(
    cache: Path, pin: Pin, mirror: Callable[[], WeightsMirror], how: Fetching
) -> tuple[Path, Manifest]:
    """The folder of the weights, whole and verified, in `cache`; held until this process ends.

    Of several processes one fetches, and the others wait for it. What is there already is told by
    sizes and times, without opening the `mirror`. FetchStopped if told to stop; WeightsError or
    StorageError if they cannot be had, with what has arrived kept for the next attempt.
    """
    started, entry = time.monotonic(), Entry.of(cache, pin)
    try:
        manifest, fetched = _ensured(entry, pin, mirror, how)
    except OSError as error:
        raise _explained(error, entry) from error
    how.tell(
        Ready(
            entry.label,
            folder=str(entry.files),
            size_bytes=manifest.size_bytes,
            fetched_bytes=fetched,
            seconds=round(time.monotonic() - started, 3),
            had_from="store" if fetched else "cache",
        )
    )
    return entry.files, manifest


def present(cache: Path, pin: Pin) -> Path | None:
    """Where the weights lie, if they are there and whole."""
    entry = Entry.of(cache, pin)
    return entry.files if _pinned(entry, pin) else None


def _ensured(
    entry: Entry, pin: Pin, mirror: Callable[[], WeightsMirror], how: Fetching
) -> tuple[Manifest, int]:
    """The manifest, and how many bytes were fetched."""
    hold(entry)
    if manifest := _pinned(entry, pin):
        return manifest, 0
    with sole_fetcher(entry, lambda: _wait(entry, how)):
        if manifest := _pinned(entry, pin):  # another process has fetched it meanwhile
            return manifest, 0
        return Completion(entry, mirror(), pin, how).run()


def _pinned(entry: Entry, pin: Pin) -> Manifest | None:
    """What is there, if it is what the release means."""
    manifest = whole(entry)
    return manifest if manifest and not pin.why_not(manifest) else None


def _wait(entry: Entry, how: Fetching) -> None:
    size = _size_bytes(entry)
    how.tell(Waiting(entry.label, min(entry.arrived_bytes(), size), size))
    if how.stop.wait(POLL_SECONDS):
        raise FetchStopped(f"{entry.label}: stopped while another process was fetching.")


def _size_bytes(entry: Entry) -> int:
    """0 before the manifest has arrived."""
    there = (entry.files / MANIFEST_NAME).is_file()
    return Manifest.read(entry.files).size_bytes if there else 0


def _explained(error: OSError, entry: Entry) -> WeightsError:
    missing = _size_bytes(entry) - entry.arrived_bytes()
    free = shutil.disk_usage(entry.cache if entry.cache.is_dir() else "/").free
    return WeightsError(
        f"{entry.label} cannot be kept in {entry.cache}: {error.strerror}. "
        + (f"{missing / GB:.2f} GB are missing, {free / GB:.2f} GB free. " if missing > 0 else "")
        + "Free space, let this user write there, or point `cache` at another disk. What has "
        "arrived is kept."
    )
