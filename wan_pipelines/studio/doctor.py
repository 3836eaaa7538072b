"""Looks the machine over, and says what to do about what is missing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wan_pipelines.engines.fingerprint import read_fingerprint
from wan_pipelines.engines.needs import check_needs
from wan_pipelines.errors import WanError
from wan_pipelines.studio.settings import resolve
from wan_pipelines.studio.studio import Studio, open_studio

GIB = 1024**3
LEAST_FREE_DISK_BYTES = 2 * GIB
LEAST_MEMORY_BYTES = 3 * GIB


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `notice` does not keep the demo from running."""

    check: str
    state: Literal["ok", "notice", "problem"]
    message: str
    remedy: str = ""


def examine(root: Path, state: Path, environment: str) -> Iterator[Finding]:
    """Findings one after the other; a check that needs the studio is left out if it won't open."""
    yield _python()
    yield _memory()
    yield _disk(state)
    yield from _told("ffmpeg", _ffmpeg)
    studio: list[Studio] = []

    def open_it() -> str:
        studio.append(open_studio(root, state, environment))
        return f"store {resolve(studio[0].settings.store)}, ledger {studio[0].ledger.name}"

    yield from _told("store and ledger", open_it)
    if studio:
        yield from _told("briefs", lambda: _briefs(studio[0]))
        for release in studio[0].releases:
            yield _release(studio[0], release)


def _told(check: str, look: Callable[[], str]) -> Iterator[Finding]:
    try:
        message = look()
    except WanError as error:
        yield Finding(check, "problem", str(error))
    else:
        yield Finding(check, "ok", message)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "ok", f"Python {version}")


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available
    message = f"{free / GIB:.1f} GiB of memory free"
    if free >= LEAST_MEMORY_BYTES:
        return Finding("memory", "ok", message)
    return Finding("memory", "notice", message, "Render with one worker: workers.count: 1.")


def _disk(state: Path) -> Finding:
    place = next(folder for folder in (state, *state.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    message = f"{free / GIB:.1f} GiB free at {place}"
    if not os.access(place, os.W_OK):
        return Finding("disk", "problem", f"{place} cannot be written", "Set WAN_PIPELINES_STATE.")
    if free >= LEAST_FREE_DISK_BYTES:
        return Finding("disk", "ok", message)
    return Finding("disk", "notice", message, "Free some space, or set WAN_PIPELINES_STATE.")


def _ffmpeg() -> str:
    from imageio_ffmpeg import get_ffmpeg_exe

    binary = get_ffmpeg_exe()
    told = subprocess.run([binary, "-version"], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()[0].partition(" Copyright")[0]


def _briefs(studio: Studio) -> str:
    briefs = studio.briefs()
    shots = sum(len(studio.shots(name)) for name in briefs)
    return f"{len(briefs)} campaigns with {shots} shots"


def _release(studio: Studio, name: str) -> Finding:
    release = studio.release(name)
    try:
        check_needs(release.needs, read_fingerprint())
        studio.weights(name)
    except WanError as error:
        return Finding(f"release {name}", "notice", str(error))
    return Finding(f"release {name}", "ok", "weights verified, this machine can run it")
