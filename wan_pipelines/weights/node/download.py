"""One file on its way from a store to the disk: hashed as it passes, and gone on with."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from wan_pipelines.errors import WeightsError
from wan_pipelines.storage import ObjectStore
from wan_pipelines.storage.atomic import fsync_folder
from wan_pipelines.weights.manifest import ManifestFile

PIECE_BYTES = 4 << 20

Passed = Callable[[int], None]
"""Told of bytes that have arrived; raises to stop."""


class Digest(Protocol):
    """A hash of `hashlib`."""

    def update(self, data: bytes | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


class Damaged(Exception):
    """What has arrived is not what the manifest says; it still lies in its part."""


def download(
    store: ObjectStore, key: str, file: ManifestFile, part: Path, target: Path, passed: Passed
) -> None:
    """Fetch `key` into `part`, which goes on where it ended, and rename it to `target`.

    `passed` hears of bytes of the part too, which are read again for their digest. Whatever is
    raised, the part stays: StorageError and OSError mean that it may be gone on with, Damaged that
    it may not. On return the file and its name are on the disk.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with part.open("a+b", buffering=0) as sink:
        if os.fstat(sink.fileno()).st_size > file.size:
            sink.truncate(0)
        done = _rehash(sink.fileno(), digest, passed)
        if done < file.size:
            _receive(store, key, file, done, sink.fileno(), digest, passed)
        if digest.hexdigest() != file.sha256:
            raise Damaged("has the right size but other content")
        os.fsync(sink.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    part.replace(target)
    fsync_folder(target.parent)


def _rehash(descriptor: int, digest: Digest, passed: Passed) -> int:
    """Take in what a part holds already; its length."""
    view, done = memoryview(bytearray(PIECE_BYTES)), 0
    while count := os.preadv(descriptor, [view], done):
        digest.update(view[:count])
        passed(count)
        done += count
    return done


def _receive(
    store: ObjectStore,
    key: str,
    file: ManifestFile,
    done: int,
    descriptor: int,
    digest: Digest,
    passed: Passed,
) -> None:
    """Append what is missing. The hash and the disk work while other files' threads do theirs."""
    for piece in store.stream(key, start=done):
        done += len(piece)
        if done > file.size:
            raise Damaged(f"is longer than {file.size} bytes")
        digest.update(piece)
        _write(descriptor, memoryview(piece))
        passed(len(piece))
    if done < file.size:
        raise WeightsError(
            f"{store.uri(key)} ends after {done} of {file.size} bytes. Mirror it again."
        )


def _write(descriptor: int, view: memoryview) -> None:
    while view:
        view = view[os.write(descriptor, view) :]
