"""What happens to weights: a bar on a terminal, or an event in JSON on each line."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic
from types import FrameType

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from wan_pipelines.units import GB
from wan_pipelines.weights.events import (
    Began,
    Evicted,
    Moved,
    Planned,
    Published,
    Quarantined,
    Ready,
    Tell,
    Waiting,
)
from wan_pipelines.weights.events import Event as Told

STOPPED = 130
LINE_SECONDS = 2.0
"""Between two lines of progress."""


@contextmanager
def told(*, as_json: bool) -> Iterator[Tell]:
    """How events are told: JSON on standard output, or a bar and notes on standard error."""
    if as_json:
        yield _Lines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        yield _Bar(bar)


@contextmanager
def stopping() -> Iterator[Event]:
    """Set by Ctrl-C and SIGTERM: a pod that is deleted ends at once, and loses nothing.

    The second time it is a KeyboardInterrupt: the hub's own library hears of no other.
    """
    stop = Event()

    def told(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Lines:
    """One JSON object a line; progress not more often than a reader of logs cares for."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._next = 0.0
        self._guard = Lock()

    def __call__(self, event: Told) -> None:
        with self._guard:
            if isinstance(event, Moved | Waiting):
                now = self._clock()
                if now < self._next:
                    return
                self._next = now + LINE_SECONDS
            typer.echo(json.dumps(event.to_json(), ensure_ascii=False))


class _Bar:
    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, int] = {}

    def __call__(self, event: Told) -> None:
        match event:
            case Moved(weights=name, done_bytes=done, size_bytes=size):
                self._advance(name, name, done, size)
            case Waiting(weights=name, done_bytes=done, size_bytes=size):
                self._advance(name, f"{name}: another process fetches", done, size)
            case Began(weights=name, files=files, missing_bytes=missing) if files:
                self._say(f"{name}: {files} files, {missing / GB:.2f} GB to move.")
            case Quarantined(weights=name, path=path, why=why):
                self._say(f"{name}: {path} {why}; it is put aside.")
            case Evicted(weights=name, freed_bytes=freed):
                self._say(f"{name}: removed from this node, {freed / GB:.2f} GB.")
            case Ready(weights=name, folder=folder, had_from=source, seconds=seconds):
                words = f"fetched in {seconds:.1f} s" if source == "store" else "whole"
                self._say(f"{name}: {words}, {folder}")
            case Planned(path=path, size_bytes=size, how=how, is_there=is_there):
                self._say(f"{path}  {size:,} bytes  {how}{'  (there already)' * is_there}")
            case Published(weights=name, address=address, content=content):
                self._say(f"{name}: in the store, {address}\ncontent: {content}")
            case _:
                pass

    def _advance(self, name: str, words: str, done: int, size: int) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(words, total=None)
        task = self._bar.tasks[self._tasks[name]]
        self._bar.update(task.id, description=words, total=size or None, completed=done)

    def _say(self, words: str) -> None:
        self._bar.console.print(Text(words), soft_wrap=True)  # above the bar
