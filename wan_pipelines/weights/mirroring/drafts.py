"""A folder for files on their way into a mirror, which outlives its process by no more than a run.

It is locked (flock) for as long as its process lives; whoever makes the next one removes those that
nobody locks, and are not that moment's.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from wan_pipelines.storage.atomic import UNLOCKED_SECONDS

PREFIX = ".mirror-"


@contextmanager
def drafts_folder(parent: Path) -> Iterator[Path]:
    """An empty folder below `parent`, for as long as the block runs. Raises OSError."""
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent)
    folder = parent / f"{PREFIX}{uuid4().hex}"
    folder.mkdir()
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(parent: Path) -> None:
    newest = time.time() - UNLOCKED_SECONDS
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError, BlockingIOError):  # swept by another process, or in use
            if folder.stat().st_mtime < newest:
                _remove_unlocked(folder)


def _remove_unlocked(folder: Path) -> None:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
