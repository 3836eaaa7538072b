"""A worker process as its supervisor holds it, and the lines that it writes."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Protocol

from wan_pipelines.studio.supervised.messages import Message, WorkerTask, from_json
from wan_pipelines.studio.supervised.nursery import Nursery

GRACE_SECONDS = 20.0
"""Until a worker that was told to stop is killed, when nobody waits for it any more."""
COMMAND = (sys.executable, "-m", "wan_pipelines.studio.supervised.child")
CHUNK = 1 << 16


class Child(Protocol):
    """A process with its end of two pipes. The worker ends when `tasks` is closed."""

    pid: int
    tasks: IO[bytes]
    reports: IO[bytes]

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it lives."""
        ...

    def send_signal(self, number: signal.Signals, /) -> None:
        """Does nothing when it has ended."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; raises `subprocess.TimeoutExpired`."""
        ...


class FreshChild(subprocess.Popen[bytes]):
    """A process that imports everything anew."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        super().__init__(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self.stdin is not None
        assert self.stdout is not None
        self.tasks: IO[bytes] = self.stdin
        self.reports: IO[bytes] = self.stdout


StartChild = Callable[[], Child]
nurseries: list[Nursery] = []
"""Where this process gets workers that need not import anything; none, as a rule."""


def start_child() -> Child:
    """A worker in the quickest way that there is here."""
    for nursery in nurseries:
        if nursery.is_open:
            return nursery.child()
    return FreshChild()


@contextmanager
def started(start: StartChild, task: WorkerTask) -> Iterator[Child]:
    """A worker at its task, which does not outlive the block."""
    child = start()
    try:
        with suppress(BrokenPipeError):  # it has died: its status says more
            child.tasks.write(json.dumps(task.to_json()).encode() + b"\n")
            child.tasks.flush()
        yield child
    finally:
        _end(child)


def _end(child: Child) -> None:
    with suppress(BrokenPipeError):
        child.tasks.close()
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
    child.wait()
    child.reports.close()


class Reports:
    """What a worker says, line by line, for somebody who has other things to look after."""

    def __init__(self, child: Child) -> None:
        self._fd = child.reports.fileno()
        self._rest = b""

    def read(self, seconds: float) -> list[Message] | None:
        """What has come, after waiting so long for it at most; None when nothing more will."""
        if not select.select([self._fd], [], [], seconds)[0]:
            return []
        data = os.read(self._fd, CHUNK)
        if not data:
            return None  # a last line that was cut off by its death says nothing
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [from_json(json.loads(line)) for line in lines]
