"""Is a set of weights whole? Told in milliseconds, for any size, by what was verified before."""

import hashlib
from collections.abc import Iterable, Mapping
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
    _write(entry, entry.marker, [file.path for file in manifest.files], durable=True)
    entry.progress.unlink(missing_ok=True)


def note_verified(entry: Entry, paths: Iterable[str]) -> None:
    """Keep which files are verified so far, in case that this process is killed."""
    _write(entry, entry.progress, paths, durable=False)


def known(entry: Entry) -> Mapping[str, Seen]:
    """What was verified against the manifest that lies there now, whole or in part."""
    digest = _digest(entry)
    markers = (_read(path) for path in (entry.progress, entry.marker))
    return next(
        (marker.files for marker in markers if marker and marker.manifest_sha256 == digest), {}
    )


def whole(entry: Entry) -> Manifest | None:
    """The manifest of a set all of whose files are as they were verified; None otherwise."""
    if not entry.marker.is_file() or not (entry.files / MANIFEST_NAME).is_file():
        return None
    marker = _read(entry.marker)
    if marker is None or _digest(entry) != marker.manifest_sha256:
        return None
    manifest = Manifest.read(entry.files)
    if any(unverified(entry, file.path, marker.files) for file in manifest.files):
        return None
    return manifest


def unverified(entry: Entry, path: str, verified: Mapping[str, Seen]) -> bool:
    """Whether a file is missing, or is not known to be what it should be."""
    seen = look(entry.files / path)
    return seen is None or verified.get(path) != seen


def look(path: Path) -> Seen | None:
    """None if nothing is there; a link is not followed: none belongs here."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return Seen(status.st_size, status.st_mtime_ns)


def _write(entry: Entry, path: Path, files: Iterable[str], *, durable: bool) -> None:
    seen = {file: look(entry.files / file) for file in files}
    marker = Marker(
        manifest_sha256=_digest(entry), files={file: each for file, each in seen.items() if each}
    )
    with atomic_write(path, durable=durable) as sink:
        sink.write(marker.model_dump_json(indent=2).encode())


def _read(path: Path) -> Marker | None:
    """None if there is none that can be read."""
    try:
        return Marker.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _digest(entry: Entry) -> str:
    return hashlib.sha256((entry.files / MANIFEST_NAME).read_bytes()).hexdigest()
