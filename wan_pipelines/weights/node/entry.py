"""Where one set of weights lies in the cache of a node.

    mirrored/<name>@<revision>/READY         which files were verified, and as what
    mirrored/<name>@<revision>/VERIFIED      the same, of a set that is not whole yet
    mirrored/<name>@<revision>/files/        the weights, with their manifest.json
    mirrored/<name>@<revision>/parts/        files on their way
    mirrored/<name>@<revision>/quarantine/   files that were damaged
    locks/<name>@<revision>.fetch            held by whoever fetches
    locks/<name>@<revision>.use              shared by users; its time is that of the last use

Locks are never removed: a process may be about to take one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wan_pipelines.weights.pins import Pin

MIRRORED = "mirrored"
LOCKS = "locks"


@dataclass(frozen=True, slots=True)
class Entry:
    """The place of a set, whether anything is there or not."""

    cache: Path
    label: str

    @classmethod
    def of(cls, cache: Path, pin: Pin) -> "Entry":
        return cls(cache, pin.label)

    @property
    def folder(self) -> Path:
        return self.cache / MIRRORED / self.label

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def parts(self) -> Path:
        return self.folder / "parts"

    @property
    def quarantine(self) -> Path:
        return self.folder / "quarantine"

    @property
    def marker(self) -> Path:
        return self.folder / "READY"

    @property
    def progress(self) -> Path:
        return self.folder / "VERIFIED"

    @property
    def fetch_lock(self) -> Path:
        return self.cache / LOCKS / f"{self.label}.fetch"

    @property
    def use_lock(self) -> Path:
        return self.cache / LOCKS / f"{self.label}.use"

    def part(self, path: str) -> Path:
        """Where a file grows that will be `files / path`."""
        return self.parts / f"{path}.part"

    def last_used(self) -> float:
        """Seconds of the epoch; 0 if it never was."""
        return self.use_lock.stat().st_mtime if self.use_lock.exists() else 0.0

    def touch(self) -> None:
        """It is used now."""
        os.utime(self.use_lock)

    def disk_bytes(self) -> int:
        """What it takes of the disk, parts and quarantine included."""
        return disk_bytes(self.folder)

    def arrived_bytes(self) -> int:
        """The lengths of what is there, whole or in part."""
        return sum(_lengths(self.files)) + sum(_lengths(self.parts))


def entries(cache: Path) -> tuple[Entry, ...]:
    """What lies in a cache, whole or not, the least recently used first."""
    folder = cache / MIRRORED
    labels = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    found = (Entry(cache, label) for label in labels if not label.startswith("."))
    return tuple(sorted(found, key=lambda entry: (entry.last_used(), entry.label)))


def disk_bytes(folder: Path) -> int:
    """What everything below a folder takes of the disk."""
    return sum(status.st_blocks * 512 for status in _statuses(folder))


def _lengths(folder: Path) -> Iterator[int]:
    yield from (status.st_size for status in _statuses(folder))


def _statuses(folder: Path) -> Iterator[os.stat_result]:
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                yield (Path(root) / name).lstat()
            except FileNotFoundError:  # renamed meanwhile: it is counted under either name or none
                continue
