"""Is a set of weights whole? Told in milliseconds, for any size, by what was verified before."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from wan_pipelines.records import Record
from wan_pipelines.storage.atomic import atomic_write
from wan_pipelines.weights.manifest import MANIFEST_NAME, Manifest, Sha256
from wan_pipelines.weights.node.entry import Entry


class Seen(NamedTuple):
    """What the system says of a file that was verified: another size or time is another file."""

    size: int
    mtime_ns: int


class Marker(Record):
    """Content of READY: all these files had the digests of that manifest."""

    manifest_sha256: Sha256
    files: dict[str, Seen]


def mark_ready(entry: Entry, manifest: Manifest) -> None:
    """Say that every file was verified. They must be on the disk already."""
    seen = {file.path: look(entry.files / file.path) for file in manifest.files}
    marker = Marker(
        manifest_sha256=_digest(entry), files={path: each for path, each in seen.items() if each}
    )
    with atomic_write(entry.marker) as file:
        file.write(marker.model_dump_json(indent=2).encode())


def read_marker(entry: Entry) -> Marker | None:
    """None if there is none that can be read."""
    try:
        return Marker.model_validate_json(entry.marker.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def whole(entry: Entry) -> Manifest | None:
    """The manifest of a set all of whose files are as they were verified; None otherwise."""
    marker = read_marker(entry)
    if marker is None or not (entry.files / MANIFEST_NAME).is_file():
        return None
    if _digest(entry) != marker.manifest_sha256:
        return None
    manifest = Manifest.read(entry.files)
    if any(unverified(entry, file.path, marker) for file in manifest.files):
        return None
    return manifest


def unverified(entry: Entry, path: str, marker: Marker | None) -> bool:
    """Whether a file is missing, or is not known to be what it should be."""
    seen = look(entry.files / path)
    return seen is None or marker is None or marker.files.get(path) != seen


def look(path: Path) -> Seen | None:
    """None if nothing is there; a link is not followed: none belongs here."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return Seen(status.st_size, status.st_mtime_ns)


def _digest(entry: Entry) -> str:
    return hashlib.sha256((entry.files / MANIFEST_NAME).read_bytes()).hexdigest()
