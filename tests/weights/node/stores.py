"""A mirror in a folder that notes what is read from it, and can be held up in the middle."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from wan_pipelines.storage import FolderStore
from wan_pipelines.weights.manifest import MANIFEST_NAME, Manifest
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.pins import Pin


class NotingStore(FolderStore):
    """Writes a line for each stream into the file `log`, whichever process it is in.

    `passing` is told, of each key, how many bytes were read since its beginning.
    """

    def __init__(self, root: Path, log: Path) -> None:
        super().__init__(root, durable=False)
        self._log = log
        self.passing: Callable[[str, int], None] = lambda _key, _count: None

    def stream(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        with self._log.open("a") as log:
            log.write(f"{key}\n")
        count = 0
        for piece in super().stream(key, start=start):
            yield piece
            count += len(piece)
            self.passing(key, count)

    @property
    def opened(self) -> list[str]:
        """Keys of files that were read, in order."""
        return self._log.read_text().splitlines() if self._log.exists() else []


def published(root: Path, weights: Path, pin: Pin | None = None) -> Pin:
    """Copies a folder with a manifest into a mirror at `root`; the pin by which it is found."""
    manifest = Manifest.read(weights)
    pin = pin or Pin(name="sample", revision=manifest.revision)
    mirror = WeightsMirror(FolderStore(root, durable=False))
    for file in manifest.files:
        mirror.store.put_file(mirror.key(pin, file.path), weights / file.path)
    described = manifest.model_copy(update={"release": pin.name, "revision": pin.revision})
    mirror.store.create(mirror.key(pin, MANIFEST_NAME), described.to_bytes())
    return pin


def random_weights(folder: Path, sizes: dict[str, int]) -> Path:
    """A folder of files of those sizes, with its manifest."""
    for path, size in sizes.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(os.urandom(size))
    Manifest.build(folder, release="sample", dtype="float32").write(folder)
    return folder
