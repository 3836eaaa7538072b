import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from wan_pipelines.encoding.ffmpeg import ffmpeg_binary, run_ffmpeg
from wan_pipelines.errors import EncodeError


def sh(script: str) -> list[str]:
    return ["/bin/sh", "-c", script]


def is_running(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    return False


def test_chunks_arrive_in_order(tmp_path: Path):
    chunks = [memoryview(bytes([index]) * 100_000) for index in range(5)]
    run_ffmpeg(sh(f"cat > '{tmp_path}/out'"), time_limit_seconds=30, chunks=chunks)
    assert (tmp_path / "out").read_bytes() == b"".join(chunks)


def test_a_talkative_ffmpeg_does_not_block(tmp_path: Path):
    script = f"yes a line of complaint | head -n 100000 >&2; cat > '{tmp_path}/out'"
    chunks = [memoryview(bytes(1 << 20))]
    run_ffmpeg(sh(script), time_limit_seconds=30, chunks=chunks)
    assert (tmp_path / "out").stat().st_size == 1 << 20


def test_a_failure_repeats_the_last_words_and_the_command():
    script = "for i in $(seq 100); do echo line $i >&2; done; exit 7"
    with pytest.raises(EncodeError, match="failed with status 7") as caught:
        run_ffmpeg(sh(script), time_limit_seconds=30)
    said = str(caught.value)
    assert "line 100" in said
    assert "line 50" not in said
    assert "command: sh -c" in said
    assert len(said) < 5000


def test_early_failure_is_explained_by_ffmpeg_not_by_the_pipe():
    chunks = [memoryview(bytes(1 << 20)) for _ in range(4)]
    with pytest.raises(EncodeError, match="no such codec"):
        run_ffmpeg(sh("echo no such codec >&2; exit 1"), time_limit_seconds=30, chunks=chunks)


def test_words_that_are_not_utf8_and_long_lines_do_no_harm():
    with pytest.raises(EncodeError) as caught:
        run_ffmpeg(sh(r"printf '\377\376%05000d' 0 >&2; exit 1"), time_limit_seconds=30)
    assert len(str(caught.value)) < 2000


def test_the_whole_group_is_stopped_at_the_limit(tmp_path: Path):
    script = f"sleep 60 & echo $! > '{tmp_path}/child'; echo $$ > '{tmp_path}/parent'; wait"
    started = time.monotonic()
    with pytest.raises(EncodeError, match=r"stopped after its limit of 0\.5 s"):
        run_ffmpeg(sh(script), time_limit_seconds=0.5)
    assert time.monotonic() - started < 10
    for name in ("child", "parent"):
        pid = int((tmp_path / name).read_text())
        deadline = time.monotonic() + 5
        while is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not is_running(pid)


def test_the_limit_holds_while_frames_are_written():
    chunks = [memoryview(bytes(1 << 20)) for _ in range(4)]
    with pytest.raises(EncodeError, match="limit"):
        run_ffmpeg(sh("sleep 60"), time_limit_seconds=0.3, chunks=chunks)


def test_ffmpeg_ends_when_the_frames_fail(tmp_path: Path):
    pid_file = tmp_path / "pid"

    def frames() -> Iterator[memoryview]:
        while not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.01)
        yield memoryview(b"one")
        raise ZeroDivisionError

    argv = sh(f"echo $$ > '{pid_file}'; sleep 60")
    with pytest.raises(ZeroDivisionError):
        run_ffmpeg(argv, time_limit_seconds=30, chunks=frames())
    assert not is_running(int(pid_file.read_text()))


def test_a_missing_ffmpeg_is_told():
    with pytest.raises(EncodeError, match="IMAGEIO_FFMPEG_EXE"):
        run_ffmpeg(["/no/such/ffmpeg"], time_limit_seconds=30)


def test_a_missing_encoder_is_told(tmp_path: Path):
    argv = [str(ffmpeg_binary()), "-loglevel", "error", "-f", "lavfi", "-i", "color=d=1"]
    with pytest.raises(EncodeError, match="lacks an encoder"):
        run_ffmpeg([*argv, "-c:v", "libnothing", f"{tmp_path}/a.mp4"], time_limit_seconds=30)
