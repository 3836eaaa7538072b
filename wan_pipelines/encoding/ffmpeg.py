"""Runs ffmpeg: feeds it, listens to it, bounds its time, and explains its failures."""

import os
import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Event, Thread, Timer
from typing import IO, Final, cast

from wan_pipelines.errors import EncodeError

GLOBAL_OPTIONS: Final = ("-hide_banner", "-loglevel", "error", "-nostdin", "-y")
STDERR_LINES: Final = 12
"""How many of ffmpeg's last words an error repeats."""


@cache
def ffmpeg_binary() -> Path:
    """The ffmpeg that comes with imageio-ffmpeg, or the one IMAGEIO_FFMPEG_EXE names."""
    import imageio_ffmpeg

    return Path(imageio_ffmpeg.get_ffmpeg_exe())


def run_ffmpeg(
    argv: Sequence[str], *, time_limit_seconds: float, chunks: Iterable[memoryview] = ()
) -> None:
    """Run one ffmpeg command, writing `chunks` to its standard input.

    Raises EncodeError if it cannot be started, exceeds its time, or fails; the whole process
    group is killed whenever this function is left before ffmpeg has ended.
    """
    process = _start(argv)
    timed_out = Event()
    timer = Timer(time_limit_seconds, lambda: (timed_out.set(), _kill(process)))
    timer.daemon = True
    timer.start()
    try:
        last_lines = _feed_and_listen(process, chunks)
        status = process.wait()
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
    if status and timed_out.is_set():
        what = f"was stopped after its limit of {time_limit_seconds:g} s"
        raise EncodeError(_story(argv, what, last_lines))
    if status != 0:
        raise EncodeError(_story(argv, _ending(status), last_lines))


def _start(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "SVT_LOG": "1"},  # errors only: SVT-AV1 ignores -loglevel
        )
    except OSError as error:
        raise EncodeError(
            f"ffmpeg cannot be started: {error}. Reinstall imageio-ffmpeg, or let "
            "IMAGEIO_FFMPEG_EXE name a working ffmpeg."
        ) from error


def _feed_and_listen(process: subprocess.Popen[bytes], chunks: Iterable[memoryview]) -> list[str]:
    """Write all chunks while a thread reads stderr; returns the last lines of stderr.

    `Popen.communicate` would do the same in steps of 4 KiB: seven times slower at 720p.
    """
    lines: deque[str] = deque(maxlen=STDERR_LINES)
    listener = Thread(target=_listen, args=(cast("IO[bytes]", process.stderr), lines), daemon=True)
    listener.start()
    # When ffmpeg ends early, its status says why, not the broken pipe.
    with suppress(BrokenPipeError), cast("IO[bytes]", process.stdin) as pipe:
        for chunk in chunks:
            pipe.write(chunk)
    listener.join()
    return list(lines)


def _listen(stderr: IO[bytes], lines: deque[str]) -> None:
    with stderr:
        for line in stderr:
            if text := line.decode(errors="replace").strip():
                lines.append(text[:400])


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _ending(status: int) -> str:
    if status > 0:
        return f"failed with status {status}"
    return f"was killed by {signal.Signals(-status).name}"


def _story(argv: Sequence[str], what: str, last_lines: list[str]) -> str:
    """What ran, how it ended, its last words, and what to do."""
    said = "\n  ".join(last_lines) or "(nothing on stderr)"
    return f"ffmpeg {what}. {_remedy(said)}\n  {said}\n  command: {_summary(argv)}"


def _remedy(said: str) -> str:
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return "Free space on the disk that takes are encoded on."
    if "Unknown encoder" in said:
        return (
            "This ffmpeg lacks an encoder: unset IMAGEIO_FFMPEG_EXE, or ask for other renditions."
        )
    return "The shot can be rendered again; if it fails again, look at the lines below."


def _summary(argv: Sequence[str]) -> str:
    text = shlex.join([Path(argv[0]).name, *argv[1:]])
    return text if len(text) <= 1500 else f"{text[:1000]} ... {text[-480:]}"
