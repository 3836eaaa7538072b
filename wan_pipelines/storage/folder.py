"""Objects as files in one folder: a laptop's disk, or a volume that several machines share."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Final

from wan_pipelines.errors import StorageError
from wan_pipelines.storage.atomic import atomic_write, make_folder, sweep
from wan_pipelines.storage.hashing import HashingReader, Passed
from wan_pipelines.storage.keys import check_key
from wan_pipelines.storage.store import ObjectInfo, StoredFile

STAGING_FOLDER: Final = ".staging"
CHUNK_BYTES: Final = 1 << 20
REMEDIES: Final = {
    errno.ENOSPC: "The disk is full: free space, or choose a store elsewhere.",
    errno.EDQUOT: "The disk quota is used up: free space, or choose a store elsewhere.",
    errno.EFBIG: "The file is larger than this file system or process may write.",
    errno.EROFS: "The file system is read-only: mount it writable, or choose another store.",
    errno.EACCES: "Give this user the right to read and write there, or choose another store.",
    errno.EPERM: "Give this user the right to read and write there, or choose another store.",
    errno.ENOENT: "Nothing is there: it may have been moved or deleted.",
    errno.EEXIST: "A file lies where a folder is needed: choose another key, or another store.",
    errno.ENOTDIR: "A file lies where a folder is needed: choose another key, or another store.",
    errno.EISDIR: "The key is the folder of other objects: choose another key.",
    errno.EIO: "The disk reports an error: check it before anything else.",
    errno.ESTALE: "The shared volume went away: mount it again.",
}


class FolderStore:
    """An ObjectStore in a folder, which is made on the first write.

    Content is staged in a hidden folder at the root and renamed into place; opening the store
    sweeps away what dead writers left there. With `durable=False` nothing is flushed: a power
    cut may lose objects, a killed process never does.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.root = Path(os.path.realpath(root))
        self.durable = durable
        self._staging = self.root / STAGING_FOLDER
        sweep(self._staging)

    def __repr__(self) -> str:
        return f"FolderStore({str(self.root)!r})"

    def put_file(self, key: str, path: Path, passed: Passed | None = None) -> StoredFile:
        """Store a copy of a local file."""
        with self._explained("store", key), path.open("rb") as file:
            source = HashingReader(file, passed)
            info = self._put(key, lambda sink: shutil.copyfileobj(source, sink, CHUNK_BYTES))
        return StoredFile(info, source.sha256)

    def put_bytes(self, key: str, data: bytes) -> ObjectInfo:
        """Store bytes."""
        with self._explained("store", key):
            return self._put(key, lambda file: file.write(data))

    def create(self, key: str, data: bytes) -> ObjectInfo | None:
        """Store bytes if nothing is there; None, and nothing is changed, if something is.

        Needs a file system with hard links.
        """
        with self._explained("create", key):
            path = self._path(key)
            try:
                return self._put(key, lambda file: file.write(data), replace=False)
            except FileExistsError:
                if not path.is_file():
                    raise
        return None

    def get_file(self, key: str, path: Path) -> StoredFile:
        """Copy the content to a local file."""
        with self.open(key) as file, self._explained("fetch", key):
            info = self._stored(key, self._path(key))
            source = HashingReader(file)
            with atomic_write(path, durable=self.durable) as sink:
                shutil.copyfileobj(source, sink, CHUNK_BYTES)
        return StoredFile(info, source.sha256)

    def read_bytes(self, key: str) -> bytes:
        """Return the whole content."""
        with self._explained("read", key):
            return self._path(key).read_bytes()

    def open(self, key: str) -> BinaryIO:
        """Open the content for reading."""
        with self._explained("read", key):
            return self._path(key).open("rb")

    def stream(self, key: str, *, start: int = 0) -> Iterator[bytes]:
        """Yield the content from byte `start` on, in pieces."""
        with self._explained("read", key), self._path(key).open("rb", buffering=0) as file:
            file.seek(start)
            while piece := file.read(CHUNK_BYTES):
                yield piece

    def stat(self, key: str) -> ObjectInfo | None:
        """Return what is known about an object, None if there is none."""
        with self._explained("look at", key):
            return _object_info(key, self._path(key))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with `prefix`, sorted by key."""
        folder = prefix.rpartition("/")[0]
        with self._explained("list", folder or "*"):
            start = self._path(folder) if folder else self.root
            yield from _walk(start, f"{folder}/" if folder else "", prefix)

    def delete(self, key: str) -> None:
        """Remove an object; it is fine if there is none."""
        with self._explained("delete", key):
            self._path(key).unlink(missing_ok=True)

    def uri(self, key: str) -> str:
        """Return the file:// URL."""
        return self._path(key).as_uri()

    def link(self, key: str) -> str:
        """Return the file:// URL, quoted so that a browser opens it."""
        return self.uri(key)

    def _path(self, key: str) -> Path:
        path = self.root / check_key(key)
        # That a path passes no link is seen much sooner than where it leads.
        if self._passes_link(key) and not Path(os.path.realpath(path)).is_relative_to(self.root):
            raise StorageError(
                f"The object {key!r} leaves the store {self.root} through a symbolic link. "
                "Replace the link by a real file or folder."
            )
        return path

    def _passes_link(self, key: str) -> bool:
        places = accumulate(key.split("/"), "{}/{}".format, initial=self.root)
        return any(map(os.path.islink, places))

    def _put(
        self, key: str, write: Callable[[BinaryIO], object], *, replace: bool = True
    ) -> ObjectInfo:
        path = self._path(key)
        make_folder(self._staging, durable=self.durable)
        with atomic_write(
            path, staging=self._staging, durable=self.durable, replace=replace
        ) as file:
            write(file)
        return self._stored(key, path)

    def _stored(self, key: str, path: Path) -> ObjectInfo:
        info = _object_info(key, path)
        if info is None:
            raise StorageError(f"The object {key!r} vanished from {self.root} after it was stored.")
        return info

    @contextmanager
    def _explained(self, verb: str, key: str) -> Iterator[None]:
        """Turn an OSError into a StorageError that says what to do."""
        try:
            yield
        except OSError as error:
            remedy = REMEDIES.get(error.errno or 0, "Check the disk and the rights on it.")
            raise StorageError(
                f"Cannot {verb} {key!r} in {self.root}: {error.strerror} "
                f"({error.filename or 'while writing'}). {remedy}"
            ) from error


def _object_info(key: str, path: Path) -> ObjectInfo | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not S_ISREG(status.st_mode):
        return None
    return ObjectInfo(
        key=key,
        size_bytes=status.st_size,
        signature=f"{status.st_mtime_ns}:{status.st_size}",
        stored_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _walk(folder: Path, base: str, prefix: str) -> Iterator[ObjectInfo]:
    """Yield the visible files below `folder`, in the order of their keys; follows no link."""
    if not folder.is_dir():
        return
    for name in sorted(_names(folder)):
        key = base + name
        if name.endswith("/"):
            if key.startswith(prefix) or prefix.startswith(key):
                yield from _walk(folder / name, key, prefix)
        elif key.startswith(prefix) and (info := _object_info(key, folder / name)):
            yield info


def _names(folder: Path) -> Iterator[str]:
    """The visible entries of a folder; sub-folders end with a slash, so that keys sort well."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield f"{entry.name}/"
            elif entry.is_file(follow_symlinks=False):
                yield entry.name
