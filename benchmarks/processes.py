"""Processes measured from their launch to their end, descendants included."""

import ctypes
import os
import resource
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Timing:
    """`cpu_seconds` are user and system seconds of the process and all it started."""

    wall_seconds: float
    cpu_seconds: float
    output: str


def timed(argv: Sequence[str | Path], variables: Mapping[str, str], cwd: Path) -> Timing:
    """Run a command with `variables` added to the environment; RuntimeError if it fails."""
    _adopt_orphans()
    before = spent_by_children()
    started = perf_counter()
    done = subprocess.run(
        argv,
        check=False,
        env={**os.environ, **variables},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    wall_seconds = perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{argv} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    _await_orphans()
    return Timing(wall_seconds, spent_by_children() - before, done.stdout)


def _adopt_orphans() -> None:
    """From now on processes whose parent ends before them are ours, and so is their time (Linux).

    A fork server, for one, outlives the process that started it by a moment.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _await_orphans() -> None:
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def spent_by_children() -> float:
    """Processor seconds of the processes that this one has started, and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
