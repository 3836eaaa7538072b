"""Is this machine fit to render?"""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from wan_pipelines.encoding.encode import encode
from wan_pipelines.encoding.renditions import RENDITIONS
from wan_pipelines.studio.findings import Finding, told
from wan_pipelines.studio.rendering_settings import Workers
from wan_pipelines.units import GIB

LEAST_FREE_DISK_BYTES = 2 * GIB
LEAST_MEMORY_BYTES = 3 * GIB
STATE_REMEDY = "Set WAN_PIPELINES_STATE to a folder with space that this user may write."


def check_machine(state: Path) -> Iterator[Finding]:
    """Findings that need no settings."""
    yield Finding("python", "ok", f"Python {platform.python_version()}")
    yield _memory()
    yield _disk(state)
    yield _dagster_home(state / "dagster")
    yield told("ffmpeg", _ffmpeg)


def check_threads(workers: Workers) -> Finding:
    """Do the workers of the environment fit on the machine's cores?"""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    wanted = workers.count * workers.threads
    message = f"workers compute on {wanted} threads, {cores} cores are here"
    if wanted <= (cores or 1):
        return Finding("threads", "ok", message)
    remedy = "They slow each other down: lower workers.count or workers.threads."
    return Finding("threads", "notice", message, remedy)


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available
    message = f"{free / GIB:.1f} GiB of memory free"
    if free >= LEAST_MEMORY_BYTES:
        return Finding("memory", "ok", message)
    return Finding("memory", "notice", message, "Render with one worker: workers.count: 1.")


def _disk(state: Path) -> Finding:
    place = _nearest_folder(state)
    free = shutil.disk_usage(place).free
    message = f"{free / GIB:.1f} GiB free at {place}"
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding("disk", "problem", f"{place} cannot be written.", STATE_REMEDY)
    if free >= LEAST_FREE_DISK_BYTES:
        return Finding("disk", "ok", message)
    return Finding("disk", "notice", message, STATE_REMEDY)


def _dagster_home(home: Path) -> Finding:
    """Dagster keeps its runs in a folder of its own, which may have other rights."""
    writable = os.access(_nearest_folder(home), os.W_OK | os.X_OK)
    if writable:
        return Finding("dagster", "ok", f"its folder is {home}")
    return Finding("dagster", "problem", f"{home} cannot be written.", STATE_REMEDY)


def _nearest_folder(path: Path) -> Path:
    """The folder itself, or the one it would be made in."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _ffmpeg() -> str:
    """Encodes a moment of black in every rendition that campaigns may ask for."""
    import numpy as np
    from imageio_ffmpeg import get_ffmpeg_version

    black = np.zeros((5, 32, 32, 3), dtype=np.uint8)
    with TemporaryDirectory() as folder:
        encode(black, 8, tuple(RENDITIONS.values()), Path(folder) / "black")
    return f"ffmpeg {get_ffmpeg_version()} makes {', '.join(RENDITIONS)}"
