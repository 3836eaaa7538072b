import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wan_pipelines.storage.atomic import atomic_write, sweep

WRITER = """
import sys
from pathlib import Path
from wan_pipelines.storage.atomic import atomic_write
with atomic_write(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
    file.write(b" and half")
"""


@pytest.fixture
def writer(tmp_path: Path):
    """A process in the middle of writing `tmp_path / "file"`."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "file")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        yield process
        process.kill()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [True, False])
def test_the_file_appears_when_the_block_ends(durable: bool, tmp_path: Path):
    path = tmp_path / "new" / "folder" / "file"
    with atomic_write(path, durable=durable) as file:
        file.write(b"content")
        assert not path.exists()
    assert path.read_bytes() == b"content"
    assert names(path.parent) == ["file"]


def test_a_failed_block_changes_nothing(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def write() -> None:
        with atomic_write(path) as file:
            file.write(b"after")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["file"]


def test_others_may_read_the_file(tmp_path: Path):
    old_mask = os.umask(0o022)
    try:
        with atomic_write(tmp_path / "file") as file:
            file.write(b"content")
    finally:
        os.umask(old_mask)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_a_killed_writer_leaves_nothing_visible_and_is_swept_away(
    writer: subprocess.Popen[bytes], tmp_path: Path
):
    assert all(name.startswith(".") for name in names(tmp_path))
    assert sweep(tmp_path, older_than_seconds=0) == ()

    writer.send_signal(signal.SIGKILL)
    writer.wait()

    assert len(sweep(tmp_path, older_than_seconds=0)) == 1
    assert names(tmp_path) == []


def test_a_living_writer_finishes_in_spite_of_sweepers(
    writer: subprocess.Popen[bytes], tmp_path: Path
):
    assert sweep(tmp_path, older_than_seconds=0) == ()
    writer.communicate(b"go")
    assert writer.returncode == 0
    assert (tmp_path / "file").read_bytes() == b"half and half"


def test_sweeping_leaves_young_parts_and_other_files_alone(tmp_path: Path):
    young = tmp_path / ".young.part"
    old = tmp_path / ".old.part"
    other = tmp_path / "video.part"
    for path in (young, old, other):
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    os.utime(young)
    assert sweep(tmp_path) == (old,)
    assert names(tmp_path) == [".young.part", "video.part"]
