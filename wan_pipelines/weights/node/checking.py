"""Which files of a set are what the manifest says; what is not is put aside."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Event
from typing import TypeVar

from wan_pipelines.errors import FetchStopped
from wan_pipelines.weights.events import Moved, Quarantined
from wan_pipelines.weights.inspection import walk
from wan_pipelines.weights.manifest import (
    MANIFEST_NAME,
    Manifest,
    ManifestFile,
    file_sha256,
)
from wan_pipelines.weights.node.entry import Entry
from wan_pipelines.weights.node.fetching import Fetching
from wan_pipelines.weights.node.locks import sole_fetcher
from wan_pipelines.weights.node.ready import Seen, note_verified, unverified
from wan_pipelines.weights.threads import Counter, in_threads

R = TypeVar("R")


def recheck(entry: Entry, how: Fetching, wait: Callable[[], None]) -> tuple[str, ...]:
    """Read every file of a set again; the paths of those that have to be fetched again.

    WeightsError if there is no manifest; see `locks.sole_fetcher` for `wait`.
    """
    with sole_fetcher(entry, wait):
        manifest = Manifest.read(entry.files)
        checker = Checker(entry, how)
        checker.clear(manifest)
        missing = checker.missing(manifest, {})
        damaged = {file.path for file in missing}
        if damaged:
            note_verified(entry, {file.path for file in manifest.files} - damaged)
            entry.marker.unlink(missing_ok=True)
    return tuple(sorted(damaged))


class Checker:
    """Looks at the files of a set, several at a time; `there` counts bytes that are right."""

    def __init__(self, entry: Entry, how: Fetching) -> None:
        self._entry = entry
        self._how = how
        self._halt = Event()
        self.there = Counter()

    def clear(self, manifest: Manifest) -> None:
        """Put aside whatever the manifest does not know."""
        known = {file.path for file in manifest.files} | {MANIFEST_NAME}
        for path in walk(self._entry.files):
            if path not in known:
                self.put_aside(self._entry.files / path, path, "is not in the manifest")

    def missing(self, manifest: Manifest, verified: Mapping[str, Seen]) -> list[ManifestFile]:
        """Files that have to be fetched, the longest first: none then is left to one thread.

        What is not as it was when it was `verified` is read for its digest.
        """
        checked = self.in_threads(
            manifest, lambda file: self._is_there(file, verified), manifest.files
        )
        found = [file for file, there in zip(manifest.files, checked, strict=True) if not there]
        return sorted(found, key=lambda file: file.size, reverse=True)

    def in_threads(
        self,
        manifest: Manifest,
        work: Callable[[ManifestFile], R],
        files: Iterable[ManifestFile],
    ) -> list[R]:
        """As `threads.in_threads`; tells how much is there."""
        size = manifest.size_bytes
        return in_threads(
            work,
            files,
            parallel=self._how.parallel,
            halt=self._halt,
            meanwhile=lambda: self._how.tell(Moved(self._entry.label, self.there.value, size)),
        )

    def passed(self, count: int) -> None:
        """So many bytes more are there; FetchStopped if that is to be all."""
        self.there.add(count)
        if self._how.stop.is_set() or self._halt.is_set():
            raise FetchStopped(
                f"{self._entry.label}: stopped. What has arrived is kept: the same command goes on "
                "from there."
            )

    def put_aside(self, path: Path, name: str, why: str) -> None:
        """Of a file that was damaged more than once the last is kept."""
        self._entry.quarantine.mkdir(parents=True, exist_ok=True)
        path.replace(self._entry.quarantine / name.replace("/", "--"))
        self._how.tell(Quarantined(self._entry.label, name, why))

    def _is_there(self, file: ManifestFile, verified: Mapping[str, Seen]) -> bool:
        path = self._entry.files / file.path
        if not path.is_symlink() and not path.exists():
            return False
        if path.is_symlink() or unverified(self._entry, file.path, verified):
            why = self._difference(path, file)
            if why:
                self.put_aside(path, file.path, why)
                return False
        else:
            self.passed(file.size)
        return True

    def _difference(self, path: Path, file: ManifestFile) -> str:
        """Why it is not the file of the manifest; empty if it is, and counted then."""
        if path.is_symlink() or not path.is_file():
            return "is no regular file"
        size = path.stat().st_size
        if size != file.size:
            return f"has {size} bytes instead of {file.size}"
        if file_sha256(path, self.passed) == file.sha256:
            return ""
        self.there.add(-size)
        return "has the right size but other content"
