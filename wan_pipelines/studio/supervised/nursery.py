"""A server that forks worker processes, so that they need not import an engine's libraries again.

It is forked itself from a process that has imported them and done nothing else: no thread, no
connection, no device. It is reached through a socket that only processes hold that were forked from
the same one later, and ends when the last of them has.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import IO, NoReturn

from wan_pipelines.errors import WorkerDied
from wan_pipelines.streams import STDERR

MOST_DESCRIPTORS = 65536
REQUEST = b"a worker, please"
HANDED = 4
NUMBER_BYTES = 4
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Descriptors of a request: standard input, output and error, and where its status is told."""


class Nursery:
    """The way to a nursery, from the processes that may ask it for workers."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door

    @property
    def is_open(self) -> bool:
        """Whether there is somebody at the other end."""
        poll = select.poll()
        poll.register(self._door, 0)
        return not poll.poll(0)

    def child(self) -> "ForkedChild":
        """A new worker."""
        return ForkedChild(self._door)


class ForkedChild:
    """A `Child` that the nursery has forked, and waits for."""

    def __init__(self, door: socket.socket) -> None:
        task_end, tasks = os.pipe()
        reports, report_end = os.pipe()
        self._status, status_end = os.pipe()
        socket.send_fds(door, [REQUEST], [task_end, report_end, STDERR, status_end])
        for fd in (task_end, report_end, status_end):
            os.close(fd)
        self.tasks: IO[bytes] = os.fdopen(tasks, "wb", buffering=0)
        self.reports: IO[bytes] = os.fdopen(reports, "rb", buffering=0)
        self.pid = self._number()
        self._returncode: int | None = None

    def poll(self) -> int | None:
        """See `Child.poll`."""
        return self._returncode if self._wait(0) else None

    def send_signal(self, number: signal.Signals, /) -> None:
        """See `Child.send_signal`."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        """See `Child.wait`."""
        if not self._wait(timeout) or self._returncode is None:
            raise subprocess.TimeoutExpired("a worker", timeout or 0)
        return self._returncode

    def _wait(self, timeout: float | None) -> bool:
        """Whether it has ended, after so long at most."""
        if self._returncode is None and select.select([self._status], [], [], timeout)[0]:
            self._returncode = self._number()
            os.close(self._status)
        return self._returncode is not None

    def _number(self) -> int:
        told = os.read(self._status, NUMBER_BYTES)
        if not told:
            raise WorkerDied("The server that workers are forked from has been killed. Run again.")
        return int.from_bytes(told, "big", signed=True)


def open_nursery(main: Callable[[], int]) -> Nursery:
    """Fork a nursery whose workers do `main`, whose result is their exit status."""
    theirs, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    intermediate = os.fork()
    if not intermediate:
        if not os.fork():
            _serve(theirs, main)
        os._exit(0)  # the nursery is nobody's child: nobody has to wait for it
    os.waitpid(intermediate, 0)
    theirs.close()
    return Nursery(ours)


def _serve(requests: socket.socket, main: Callable[[], int]) -> NoReturn:
    """Forks workers until nobody is left who could ask for one."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _close_all_but(requests.fileno())
    workers: dict[int, tuple[int, int]] = {}  # by a descriptor of each: its pid, who waits for it
    while True:
        ready, _, _ = select.select([requests.fileno(), *workers], [], [])
        for fd in set(ready) & workers.keys():
            os.close(fd)
            _tell_of_end(*workers.pop(fd))
        if requests.fileno() in ready:
            data, handed, _, _ = socket.recv_fds(requests, len(REQUEST), HANDED)
            if not data:
                os._exit(0)
            pid, status = _forked(handed, main), handed[-1]
            _tell(status, pid)
            workers[os.pidfd_open(pid)] = (pid, status)
            for fd in handed[:-1]:
                os.close(fd)


def _tell_of_end(pid: int, status: int) -> None:
    _tell(status, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(status)


def _tell(status: int, number: int) -> None:
    with suppress(BrokenPipeError):  # whoever asked is gone
        os.write(status, number.to_bytes(NUMBER_BYTES, "big", signed=True))


def _forked(handed: list[int], main: Callable[[], int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for stream, fd in enumerate(handed[:3]):
            os.dup2(fd, stream)
        _close_all_but()
        status = main()
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stderr.flush()
    os._exit(status)


def _close_all_but(*kept: int) -> None:
    """Of what was inherited beyond the standard streams."""
    after = 3
    for fd in sorted(kept):
        os.closerange(after, fd)
        after = fd + 1
    os.closerange(after, MOST_DESCRIPTORS)
