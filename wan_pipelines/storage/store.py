"""What every object store can do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from wan_pipelines.storage.hashing import Passed


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object. Its `signature` changes whenever the content may have changed.

    `stored_at` is when the content was stored, by the clock of the store (UTC).
    """

    key: str
    size_bytes: int
    signature: str
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on its way into or out of a store: the object, and what passed by on the way."""

    info: ObjectInfo
    sha256: str


class ObjectStore(Protocol):
    """Named byte strings that are visible whole or not at all.

    Keys are relative POSIX paths (see `keys.check_key`). Every method raises StorageError,
    naming object and remedy, if a key is not valid or the store cannot do what is asked.
    """

    def put_file(self, key: str, path: Path, passed: Passed | None = None) -> StoredFile:
        """Store a copy of a local file, replacing what was there; durable on return.

        What `passed` raises ends the transfer, of which nothing is left.
        """
        ...

    def put_bytes(self, key: str, data: bytes) -> ObjectInfo:
        """Store bytes, replacing what was there; durable on return."""
        ...

    def create(self, key: str, data: bytes) -> ObjectInfo | None:
        """Store bytes if nothing is there; None, and nothing is changed, if something is.

        Of many that do so at the same time one succeeds.
        """
        ...

    def get_file(self, key: str, path: Path) -> StoredFile:
        """Copy the content to a local file, which appears whole or not at all."""
        ...

    def read_bytes(self, key: str) -> bytes:
        """Return the whole content."""
        ...

    def open(self, key: str) -> BinaryIO:
        """Open the content for reading; later replacements do not show through."""
        ...

    def stream(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """Yield the content from byte `start` on, in large pieces; nothing if it ends before.

        All of it is of one version: a replacement meanwhile does not show through, or is an error.
        """
        ...

    def stat(self, key: str) -> ObjectInfo | None:
        """Return what is known about an object, None if there is none."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with `prefix`, sorted by key."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; it is fine if there is none."""
        ...

    def uri(self, key: str) -> str:
        """Return the stable address, for records."""
        ...

    def link(self, key: str) -> str:
        """Return an address that a browser opens, perhaps only for some time."""
        ...
