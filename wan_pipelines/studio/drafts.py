"""Folders for files in the making. They go away with the process that made them, or after it.

A folder is locked (flock) for as long as its process lives, however that ends: whoever gets the
lock knows that nobody works there any more, and removes it.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from wan_pipelines.errors import StorageError


@contextmanager
def draft_folder(cache: Path) -> Iterator[Path]:
    """A new folder on this node for as long as the block runs.

    Removes what killed processes left. Raises StorageError when the cache cannot be written.
    """
    with ExitStack() as stack:
        folder = _make(cache / "drafts", stack)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


@contextmanager
def as_storage_errors(folder: Path) -> Iterator[None]:
    """Raise what the system says of writing there as StorageError with a remedy."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"Files cannot be drafted in {folder}: {error.strerror}. Free space there, let this "
            "user write it, or set `cache` of the environment to another folder."
        ) from error


def _make(home: Path, stack: ExitStack) -> Path:
    with as_storage_errors(home):
        home.mkdir(parents=True, exist_ok=True)
        with _locked(home, fcntl.LOCK_EX):  # nobody may sweep a folder before it is locked
            _sweep(home)
            folder = Path(mkdtemp(dir=home))
            stack.enter_context(_locked(folder, fcntl.LOCK_EX))
    return folder


def _sweep(home: Path) -> None:
    for folder in home.iterdir():
        in_use_or_just_removed = suppress(BlockingIOError, FileNotFoundError)
        with in_use_or_just_removed, _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)
