"""Locks between the processes of a node. The kernel lets go of them when a process dies."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wan_pipelines.weights.node.entry import Entry

POLL_SECONDS = 0.2

_held: dict[Path, int] = {}


def hold(entry: Entry) -> None:
    """Keep weights from eviction until this process, and those forked from it, have ended.

    Whatever was loaded from them may be loaded again, or mapped into memory, at any time.
    """
    descriptor = _held.get(entry.use_lock)
    if descriptor is None or not _is_at(descriptor, entry.use_lock):
        let_go(entry)  # of the lock of a cache that somebody has removed by hand
        descriptor = _opened(entry.use_lock)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        _held[entry.use_lock] = descriptor
    entry.touch()


def let_go(entry: Entry) -> None:
    """This process has no more use for them."""
    descriptor = _held.pop(entry.use_lock, None)
    if descriptor is not None:
        os.close(descriptor)


@contextmanager
def sole_fetcher(entry: Entry, wait: Callable[[], None]) -> Iterator[None]:
    """Be the one process that fetches; `wait` is called again and again until the others are done.

    It is to sleep for a moment, and may raise.
    """
    descriptor = _opened(entry.fetch_lock)
    try:
        while not _taken(descriptor):
            wait()
        yield
    finally:
        os.close(descriptor)


@contextmanager
def unused(entry: Entry) -> Iterator[bool]:
    """Whether nobody uses or fetches them; if so, nobody begins to within the block."""
    use, fetch = _opened(entry.use_lock), _opened(entry.fetch_lock)
    try:
        yield _taken(use) and _taken(fetch)
    finally:
        os.close(use)
        os.close(fetch)


def in_use(entry: Entry) -> bool:
    """Whether a process uses or fetches them; asks without writing anything."""
    return _is_held(entry.use_lock) or _is_held(entry.fetch_lock)


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return not _taken(descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())


def _opened(path: Path) -> int:
    """Not inherited by programs that are started: only by forks, which share what is loaded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
