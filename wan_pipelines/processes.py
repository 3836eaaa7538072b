"""Names of processes that outlive neither a reboot nor the reuse of a process id, and their age.

Both count from the start of the machine, so that setting its clock changes neither.
"""

import os
import resource
import socket
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import psutil


@cache
def host_name() -> str:
    return socket.gethostname()


def process_name(pid: int | None = None) -> str:
    """`host:pid:start`, where start is the process's creation in milliseconds since the boot."""
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
        return _after_boot_ms(process)
    except psutil.NoSuchProcess:
        return None


def living_in(group: int) -> list[psutil.Process]:
    """The processes of a process group that have not ended."""
    return [process for process in psutil.process_iter() if _lives_in(process, group)]


def _lives_in(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


def out_of_memory_kills(
    counters: Sequence[Path] = (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat")),
) -> int | None:
    """How many processes the kernel has killed for want of memory, in this container if it tells.

    None where it does not count.
    """
    for path in counters:
        if path.is_file():
            for line in path.read_text().splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return None


def limit_address_space(size_bytes: int) -> None:
    """From now on this process has no more; what exceeds it is a MemoryError, or torch's own."""
    resource.setrlimit(resource.RLIMIT_AS, (size_bytes, size_bytes))


def age_ns() -> int:
    """How long this process has existed; exact to the hundredth of a second on Linux."""
    process = psutil.Process()
    if sys.platform == "linux":
        since_boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        return since_boot - _after_boot_ms(process) * 1_000_000
    return time.time_ns() - int(process.create_time() * 1e9)


def resident_bytes() -> int:
    """Memory that this process holds."""
    return psutil.Process().memory_info().rss


def _after_boot_ms(process: psutil.Process) -> int:
    """The system's own record: psutil adds the boot time to it, in whole seconds."""
    return round((process.create_time() - psutil.boot_time()) * 1000)
