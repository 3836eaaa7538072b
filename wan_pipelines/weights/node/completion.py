"""What is missing of a set of weights, brought by the process that holds its lock."""

import shutil
from threading import Lock

from wan_pipelines.errors import WeightsError
from wan_pipelines.storage.atomic import atomic_write, make_folder
from wan_pipelines.weights.events import Began
from wan_pipelines.weights.manifest import MANIFEST_NAME, Manifest, ManifestFile, verify
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.node.checking import Checker
from wan_pipelines.weights.node.download import Damaged, download
from wan_pipelines.weights.node.entry import Entry
from wan_pipelines.weights.node.eviction import make_room, sweep
from wan_pipelines.weights.node.fetching import Fetching
from wan_pipelines.weights.node.ready import known, mark_ready, note_verified
from wan_pipelines.weights.pins import Pin
from wan_pipelines.weights.threads import Counter

ATTEMPTS = 2
"""At a file whose content is not what the manifest says: the first may go on with a bad part."""


class Completion:
    """One attempt to make a set whole."""

    def __init__(self, entry: Entry, mirror: WeightsMirror, pin: Pin, how: Fetching) -> None:
        self._entry = entry
        self._mirror = mirror
        self._pin = pin
        self._how = how
        self._checker = Checker(entry, how)
        self._fetched = Counter()
        self._verified: set[str] = set()
        self._guard = Lock()

    def run(self) -> tuple[Manifest, int]:
        """The manifest, and how many bytes came from the store."""
        manifest = self._manifest()
        self._checker.clear(manifest)
        wanted = self._checker.missing(manifest, known(self._entry))
        self._verified = {file.path for file in manifest.files} - {file.path for file in wanted}
        lacking = sum(file.size - self._part_bytes(file) for file in wanted)
        self._how.tell(Began(self._entry.label, len(wanted), lacking, manifest.size_bytes))
        make_room(self._entry, lacking, self._how.keep_bytes, self._how.tell)
        self._checker.in_threads(manifest, self._bring, wanted)
        verify(self._entry.files, manifest, digests=False)
        mark_ready(self._entry, manifest)
        shutil.rmtree(self._entry.parts, ignore_errors=True)
        return manifest, self._fetched.value

    def _manifest(self) -> Manifest:
        """That of the mirror, which now lies here."""
        manifest = self._mirror.find(self._pin)
        if manifest is None:
            raise WeightsError(
                f"The weights {self._pin.label} are not in the store: there is no "
                f"{self._mirror.address(self._pin)}. Put them there with `wan weights mirror`."
            )
        sweep(self._entry.cache)
        make_folder(self._entry.files)
        with atomic_write(self._entry.files / MANIFEST_NAME, staging=self._entry.folder) as file:
            file.write(manifest.to_bytes())
        return manifest

    def _bring(self, file: ManifestFile) -> None:
        part, why = self._entry.part(file.path), ""
        for _ in range(ATTEMPTS):
            arrived = self._part_bytes(file)
            try:
                self._download(file)
            except Damaged as damage:
                why = str(damage)
            else:
                self._fetched.add(file.size - arrived)
                self._note(file)
                return
            self._checker.there.add(-part.stat().st_size)
            self._checker.put_aside(part, file.path, why)
        raise WeightsError(
            f"{self._mirror.store.uri(self._key(file))} is not what the manifest says: it {why}. "
            "Remove it from the store, and run `wan weights mirror` again."
        )

    def _download(self, file: ManifestFile) -> None:
        download(
            self._mirror.store,
            self._key(file),
            file,
            self._entry.part(file.path),
            self._entry.files / file.path,
            self._checker.passed,
        )

    def _note(self, file: ManifestFile) -> None:
        with self._guard:
            self._verified.add(file.path)
            note_verified(self._entry, self._verified)

    def _part_bytes(self, file: ManifestFile) -> int:
        """How much of a file has arrived that can be gone on with."""
        part = self._entry.part(file.path)
        size = part.stat().st_size if part.exists() else 0
        return size if size <= file.size else 0

    def _key(self, file: ManifestFile) -> str:
        return self._mirror.key(self._pin, file.path)
