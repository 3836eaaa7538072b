"""Folders that weights are mirrored from: what belongs to them, and what must not be read."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wan_pipelines.errors import WeightsError
from wan_pipelines.storage.keys import is_key
from wan_pipelines.weights.inspection import CODE_SUFFIXES, is_pickle, walk
from wan_pipelines.weights.manifest import MANIFEST_NAME, MOST_PATH_CHARACTERS, Manifest

COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """A folder that was looked through: files by their paths, and the digests that are known."""

    words: str
    revision: str
    files: Mapping[str, Path]
    digests: Mapping[str, str]


def revision_of(folder: Path, named: str | None = None) -> str:
    """The revision of a folder: its commit in a hub's cache, its manifest's, or as `named`.

    WeightsError where nothing tells it, or something contradicts.
    """
    known = _commit_of(folder) or _manifest_revision(folder)
    if known and named and known != named:
        raise WeightsError(f"{folder} is revision {known}, not {named}.")
    if not (known or named):
        raise WeightsError(
            f"Nothing says which revision {folder} is: it is no snapshot of a hub's cache, and has "
            f"no {MANIFEST_NAME}. Name it with --revision."
        )
    return known or str(named)


def open_folder(
    folder: Path, patterns: tuple[str, ...] = (), *, revision: str | None = None, words: str = ""
) -> Origin:
    """The files of a folder that match a pattern, or all; links may lead to the cache's blobs.

    WeightsError names every pickle and all code among them, and links that lead elsewhere: nothing
    has been opened by then. Hidden files are no weights. `words` say where they come from, if not
    from the folder.
    """
    known = revision_of(folder, revision)
    paths = [path for path in walk(folder) if path != MANIFEST_NAME and not _is_hidden(path)]
    chosen = list(matching(paths, patterns)) if patterns else paths
    refuse_unsafe(str(folder), chosen)
    _check_names(folder, chosen)
    if not chosen:
        raise WeightsError(f"{folder} holds none of the files {', '.join(patterns)}.")
    files = {path: _resolved(folder, path) for path in chosen}
    return Origin(words or str(folder), known, files, _digests(folder, files))


def matching(paths: Iterable[str], patterns: tuple[str, ...]) -> Iterator[str]:
    """Paths that match a pattern, as hubs understand them."""
    from huggingface_hub.utils import filter_repo_objects

    yield from filter_repo_objects(paths, allow_patterns=list(patterns))


def refuse_unsafe(where: str, paths: Iterable[str]) -> None:
    """WeightsError if names say that there are pickles or code among the files."""
    unsafe = [
        path
        for path in paths
        if is_pickle(path) or PurePosixPath(path).suffix.lower() in CODE_SUFFIXES
    ]
    if unsafe:
        more = f" and {len(unsafe) - SHOWN} more" if len(unsafe) > SHOWN else ""
        raise WeightsError(
            f"{where} is not mirrored: {', '.join(unsafe[:SHOWN])}{more} can run code when loaded. "
            "Take a revision in safetensors, or choose files without them."
        )


def _check_names(folder: Path, paths: Iterable[str]) -> None:
    """WeightsError for names that no store or manifest would take."""
    for path in paths:
        if not (is_key(path) and path.isprintable() and len(path) <= MOST_PATH_CHARACTERS):
            raise WeightsError(
                f"{folder}: {path[:80]!r} is no name for a file of weights. Rename it."
            )


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def _resolved(folder: Path, path: str) -> Path:
    full = Path(os.path.realpath(folder / path))  # takes links in circles, too
    allowed = [folder.resolve()]
    if _commit_of(folder):
        allowed.append(folder.resolve().parents[1] / "blobs")
    if not any(full.is_relative_to(root) for root in allowed) or not full.is_file():
        raise WeightsError(
            f"{folder / path} is a link out of the snapshot, or to nothing. Replace it by the file."
        )
    return full


def _commit_of(folder: Path) -> str:
    """Of `<repository>/snapshots/<commit>`, as hubs' caches are laid out; else empty."""
    folder = folder.resolve()
    is_snapshot = folder.parent.name == "snapshots" and COMMIT.fullmatch(folder.name)
    return folder.name if is_snapshot else ""


def _manifest_revision(folder: Path) -> str:
    there = (folder / MANIFEST_NAME).is_file()
    return Manifest.read(folder).revision if there else ""


def _digests(folder: Path, files: Mapping[str, Path]) -> dict[str, str]:
    """By the folder's manifest; in a hub's cache a large file is named after its digest."""
    if (folder / MANIFEST_NAME).is_file():
        return {file.path: file.sha256 for file in Manifest.read(folder).files}
    return {
        path: full.name
        for path, full in files.items()
        if full.parent.name == "blobs" and SHA256.fullmatch(full.name)
    }
