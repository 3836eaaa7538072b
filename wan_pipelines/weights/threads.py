"""Work on many files at a time, with a main thread that watches."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event, Lock
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

WATCH_SECONDS = 0.5


class Counter:
    """A number that many threads add to."""

    def __init__(self) -> None:
        self.value = 0
        self._guard = Lock()

    def add(self, count: int) -> None:
        with self._guard:
            self.value += count


def in_threads(
    work: Callable[[T], R],
    items: Iterable[T],
    *,
    parallel: int,
    halt: Event,
    meanwhile: Callable[[], None],
) -> list[R]:
    """What `work` gives for each item, in their order; `meanwhile` is called now and then.

    What is raised first, or in the main thread (a signal, say), sets `halt`, which `work` is to
    look at; it is raised when all threads have ended.
    """
    with ThreadPoolExecutor(parallel) as pool:
        begun = [pool.submit(work, item) for item in items]
        try:
            waiting = set(begun)
            while waiting:
                done, waiting = wait(waiting, WATCH_SECONDS, FIRST_EXCEPTION)
                for future in done:
                    future.result()
                meanwhile()
        except BaseException:
            halt.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in begun]
