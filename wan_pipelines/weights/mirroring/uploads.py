"""What an attempt to mirror has uploaded so far, so that the next one need not do it again.

Beside the sets, a small record for each file: what it was made from, its digest, and the store's
signature of the object. They are removed when the manifest is there.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from wan_pipelines.records import Record
from wan_pipelines.weights.manifest import ManifestFile, Sha256
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.mirroring.outputs import Copy, Output, Shard, Text
from wan_pipelines.weights.pins import Pin

PREFIX = "weights-uploads/"


class Upload(Record):
    """A file that lies in the store: `recipe` is the digest of everything that decides it."""

    recipe: Sha256
    signature: str
    file: ManifestFile


@dataclass(frozen=True, slots=True)
class Uploads:
    """The records of one set."""

    mirror: WeightsMirror
    pin: Pin

    def find(self, output: Output) -> ManifestFile | None:
        """What lies in the store for an output, if it is just that."""
        key = self._key(output.path)
        if self.mirror.store.stat(key) is None:
            return None
        try:
            upload = Upload.model_validate_json(self.mirror.store.read_bytes(key))
        except ValidationError:
            return None
        info = self.mirror.store.stat(self.mirror.key(self.pin, output.path))
        is_same = info and info.signature == upload.signature
        return upload.file if is_same and upload.recipe == recipe_of(output) else None

    def keep(self, output: Output, file: ManifestFile, signature: str) -> None:
        """It is there."""
        upload = Upload(recipe=recipe_of(output), signature=signature, file=file)
        self.mirror.store.put_bytes(self._key(output.path), upload.model_dump_json().encode())

    def clear(self) -> None:
        """The set is published: nobody goes on with it."""
        for info in tuple(self.mirror.store.list(self._key(""))):
            self.mirror.store.delete(info.key)

    def _key(self, path: str) -> str:
        name = f"{path}.json" if path else ""
        return f"{PREFIX}{self.pin.name}/{self.pin.revision}/{name}"


def recipe_of(output: Output) -> str:
    """sha256 hex of what an output is made from: origins by size and time of their last change."""
    origins = [[str(path), *_changed(path)] for path in output.sources]
    match output:
        case Shard():
            made = [
                hashlib.sha256(output.header).hexdigest(),
                [[str(t.source), t.placed.begin, t.placed.header.dtype] for t in output.tensors],
            ]
        case Text():
            made = [hashlib.sha256(output.content).hexdigest()]
        case Copy():
            made = []
    return hashlib.sha256(json.dumps([output.path, origins, made]).encode()).hexdigest()


def _changed(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
