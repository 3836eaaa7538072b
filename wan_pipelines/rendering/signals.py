"""SIGTERM and Ctrl-C as a wish to stop, so that a worker can end in good order."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals(stop: Event, *, more: Sequence[signal.Signals] = ()) -> Iterator[Event]:
    """Sets `stop` on SIGTERM, SIGINT or `more` inside the block; for the main thread only."""

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_stop) for number in (*STOP_SIGNALS, *more)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
