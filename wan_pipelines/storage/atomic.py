"""Files that appear whole under their final name, or not at all.

Content is written to a hidden `.part` file on the same file system, flushed to the disk and
renamed. A writer locks its part (flock) for as long as it lives: whoever gets the lock knows
that the writer is dead, in whichever process or container it ran, and may sweep the part away.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

PART_SUFFIX: Final = ".part"
UNLOCKED_SECONDS: Final = 60.0
"""How long after its creation a part may still wait for its writer's lock; far too long."""


@contextmanager
def atomic_write(
    path: Path, *, staging: Path | None = None, durable: bool = True, replace: bool = True
) -> Iterator[BinaryIO]:
    """Yield a binary file that becomes `path` when the block ends without an exception.

    The part lies beside `path`, or in the existing folder `staging` of the same file system.
    Without `replace` an existing `path` stays as it is, and FileExistsError is raised.
    Missing parents of `path` are made. With `durable`, content and names are on the disk on
    return. Raises OSError; then `path` is as it was before, and no part is left.
    """
    if staging is None:
        make_folder(path.parent, durable=durable)
    part = (staging or path.parent) / f".{uuid4().hex}{PART_SUFFIX}"
    changed = [path.parent]
    try:
        with part.open("xb") as file:
            _lock(file)
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
            changed += _made_folder(path.parent)
            if replace:
                part.replace(path)
            else:
                path.hardlink_to(part)
                part.unlink()
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        # The file's folder first: a journal that takes its name takes those of new folders along.
        for folder in changed:
            fsync_folder(folder)


def sweep(folder: Path, *, older_than_seconds: float = UNLOCKED_SECONDS) -> tuple[Path, ...]:
    """Remove the parts that dead writers left in `folder`; returns them. Raises OSError."""
    newest = time.time() - older_than_seconds
    return tuple(part for part in folder.glob(f".*{PART_SUFFIX}") if _removed(part, newest))


def make_folder(folder: Path, *, durable: bool = True) -> None:
    """Make a folder and its missing parents; with `durable`, flush their names to the disk."""
    changed = _made_folder(folder)
    if durable:
        for each in changed:
            fsync_folder(each)


def fsync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _made_folder(folder: Path) -> list[Path]:
    """Make a folder and its missing parents; the folders that have got a new name, lowest first."""
    if folder.is_dir():
        return []
    above = _made_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    return [folder.parent, *above]


def _lock(file: BinaryIO) -> None:
    """Lock a new part. Where locks are not supported nobody can sweep it, which is safe."""
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _removed(part: Path, newest: float) -> bool:
    """Remove a part if its writer is dead; a part that has just been renamed is gone already."""
    with suppress(OSError), part.open("rb") as file:
        if os.fstat(file.fileno()).st_mtime > newest:
            return False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink()
        return True
    return False
