"""One file of a set on its way into the store."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from wan_pipelines.storage.hashing import Passed
from wan_pipelines.weights.headers import header_sha256
from wan_pipelines.weights.manifest import ManifestFile
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.mirroring.outputs import Copy, Output, Shard, Text
from wan_pipelines.weights.mirroring.uploads import Uploads
from wan_pipelines.weights.mirroring.writing import write_shard
from wan_pipelines.weights.pins import Pin


@dataclass(frozen=True, slots=True)
class Sender:
    """Writes what is new into the folder `drafts`, sends it, and removes it there."""

    mirror: WeightsMirror
    pin: Pin
    uploads: Uploads
    drafts: Path

    def send(self, output: Output, passed: Passed) -> ManifestFile:
        """Store an output; what is known of it then. StorageError, WeightsError or OSError.

        `passed` hears how much of it is on its way, and may raise at any time.
        """
        if isinstance(output, Copy):
            return self._store(output, output.source, passed)
        draft = self.drafts / uuid4().hex
        try:
            _write(output, draft, passed)
            return self._store(output, draft, passed)
        finally:
            draft.unlink(missing_ok=True)

    def _store(self, output: Output, path: Path, passed: Passed) -> ManifestFile:
        key = self.mirror.key(self.pin, output.path)
        stored = self.mirror.store.put_file(key, path, passed)
        is_tensors = output.path.endswith(".safetensors")
        file = ManifestFile(
            path=output.path,
            size=stored.info.size_bytes,
            sha256=stored.sha256,
            header_sha256=header_sha256(path) if is_tensors else None,
        )
        self.uploads.keep(output, file, stored.info.signature)
        return file


def _write(output: Shard | Text, draft: Path, passed: Passed) -> None:
    match output:
        case Shard():
            write_shard(output, draft, go_on=lambda: passed(0))
        case Text(content=content):
            draft.write_bytes(content)
