"""Names of processes that outlive neither a reboot nor the reuse of a process id."""

import os
import socket
from functools import cache

import psutil


@cache
def host_name() -> str:
    return socket.gethostname()


def process_name(pid: int | None = None) -> str:
    """`host:pid:start`, where start is the process's creation time in whole milliseconds."""
    pid = pid or os.getpid()
    return f"{host_name()}:{pid}:{_started_ms(pid)}"


def is_gone(name: str) -> bool:
    """Whether the process of that name is known to have ended: never true of another host's."""
    host, pid, started_ms = name.rsplit(":", 2)
    return host == host_name() and _started_ms(int(pid)) != int(started_ms)


def _started_ms(pid: int) -> int | None:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return round(process.create_time() * 1000)
    except psutil.NoSuchProcess:
        return None
