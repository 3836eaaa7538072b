import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.storage.contract import StoreContract
from tests.support.disks import read_only, small_disk
from wan_pipelines.errors import StorageError
from wan_pipelines.storage import FolderStore
from wan_pipelines.storage.folder import STAGING_FOLDER

RACER = """
import sys
from pathlib import Path
from wan_pipelines.storage import FolderStore
store = FolderStore(Path(sys.argv[1]))
for _ in range(10):
    store.put_bytes("videos/a.bin", sys.argv[2].encode() * 50_000)
"""


class TestFolderStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "store", durable=False)


class TestDurableFolderStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FolderStore:
        return FolderStore(tmp_path / "store")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def staged(store: FolderStore) -> list[Path]:
    return list((store.root / STAGING_FOLDER).iterdir())


def test_a_link_opens_the_file(store: FolderStore):
    from urllib.request import url2pathname, urlopen

    store.put_bytes("a b/50%#?.txt", b"1")
    assert store.link("a b/50%#?.txt").endswith("/store/a%20b/50%25%23%3F.txt")
    assert Path(url2pathname(store.link("a b/50%#?.txt").removeprefix("file://"))).exists()
    with urlopen(store.link("a b/50%#?.txt")) as file:
        assert file.read() == b"1"


def test_eight_processes_writing_one_key_leave_one_whole_file(store: FolderStore):
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(store.root), letter])
        for letter in "abcdefgh"
    ]
    seen: set[bytes] = set()
    while any(racer.poll() is None for racer in racers):
        if store.stat("videos/a.bin"):
            seen.add(store.read_bytes("videos/a.bin"))
        assert {info.key for info in store.list()} <= {"videos/a.bin"}
    assert [racer.returncode for racer in racers] == [0] * 8
    seen.add(store.read_bytes("videos/a.bin"))
    assert all(content == content[:1] * 50_000 for content in seen)
    assert staged(store) == []


def test_a_crashed_writer_is_swept_when_the_store_is_opened(store: FolderStore):
    store.put_bytes("a", b"1")
    left = store.root / STAGING_FOLDER / ".left.part"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    assert [info.key for info in FolderStore(store.root).list()] == ["a"]
    assert staged(store) == []


def test_a_store_that_was_wiped_is_used_again(store: FolderStore):
    store.put_bytes("a", b"1")
    shutil.rmtree(store.root)
    store.put_bytes("a", b"2")
    assert store.read_bytes("a") == b"2"


def test_links_that_leave_the_store_are_refused(store: FolderStore, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.put_bytes("a", b"1")
    (store.root / "folder").symlink_to(outside)
    (store.root / "file").symlink_to(outside / "secret")

    for key in ("folder/secret", "file"):
        with pytest.raises(StorageError, match="symbolic link"):
            store.read_bytes(key)
        with pytest.raises(StorageError, match="symbolic link"):
            store.put_bytes(key, b"overwritten")
        with pytest.raises(StorageError, match="symbolic link"):
            store.delete(key)
    with pytest.raises(StorageError, match="symbolic link"):
        list(store.list("folder/"))
    assert [info.key for info in store.list()] == ["a"]
    assert (outside / "secret").read_bytes() == b"secret"


def test_the_root_itself_may_be_a_link(tmp_path: Path):
    (tmp_path / "big-disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "big-disk")
    FolderStore(tmp_path / "store").put_bytes("a", b"1")
    assert (tmp_path / "big-disk" / "a").read_bytes() == b"1"


def test_an_object_cannot_be_a_folder_of_objects(store: FolderStore):
    store.put_bytes("a", b"1")
    store.put_bytes("folder/b", b"1")
    with pytest.raises(StorageError, match="choose another key"):
        store.put_bytes("a/b", b"2")
    with pytest.raises(StorageError, match="choose another key"):
        store.put_bytes("folder", b"2")
    assert [info.key for info in store.list()] == ["a", "folder/b"]
    assert staged(store) == []


def test_a_file_in_place_of_the_store_is_told(tmp_path: Path):
    (tmp_path / "store").write_bytes(b"")
    with pytest.raises(StorageError, match="another store"):
        FolderStore(tmp_path / "store").put_bytes("a", b"1")


def test_a_changed_file_has_another_signature(store: FolderStore):
    before = store.put_bytes("a", b"good")
    path = store.root / "a"
    path.write_bytes(b"evil")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    after = store.stat("a")
    assert after is not None
    assert after.signature != before.signature


def test_a_full_disk_is_told_and_leaves_the_old_object(tmp_path: Path):
    with small_disk(tmp_path / "disk", kibibytes=256) as disk:
        store = FolderStore(disk / "store")
        store.put_bytes("a", b"before")
        with pytest.raises(StorageError, match="disk is full") as caught:
            store.put_bytes("a", b"x" * 1_000_000)
        assert "'a'" in str(caught.value)
        assert str(store.root) in str(caught.value)
        big = tmp_path / "big"
        big.write_bytes(b"x" * 1_000_000)
        with pytest.raises(StorageError, match="disk is full"):
            store.put_file("new/b", big)

        assert [info.key for info in store.list()] == ["a"]
        assert store.read_bytes("a") == b"before"
        assert staged(store) == []
        store.put_bytes("a", b"x" * 100_000)


def test_a_read_only_disk_is_told(tmp_path: Path):
    with small_disk(tmp_path / "disk", kibibytes=256) as disk:
        store = FolderStore(disk)
        store.put_bytes("a", b"1")
        with read_only(disk):
            with pytest.raises(StorageError, match="read-only"):
                store.put_bytes("a", b"2")
            with pytest.raises(StorageError, match="read-only"):
                FolderStore(disk / "new").put_bytes("a", b"2")
            with pytest.raises(StorageError, match="read-only"):
                store.delete("a")
            assert store.read_bytes("a") == b"1"


FORBIDDEN = """
import os, sys
from pathlib import Path
from wan_pipelines.errors import StorageError
from wan_pipelines.storage import FolderStore
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for use in (
    lambda store: store.put_bytes("a", b"2"),
    lambda store: store.read_bytes("a"),
    lambda store: list(store.list("folder/")),
):
    try:
        use(FolderStore(Path(sys.argv[1])))
    except StorageError as error:
        print(error)
"""


@pytest.fixture
def public_folder():
    """A folder that every user can reach, unlike pytest's own."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_missing_rights_are_told(public_folder: Path):
    store = FolderStore(public_folder / "store")
    store.put_bytes("a", b"1")
    store.put_bytes("folder/b", b"1")
    (store.root / "a").chmod(0)
    (store.root / "folder").chmod(0)
    (store.root / STAGING_FOLDER).chmod(0o555)

    command = [sys.executable, "-c", FORBIDDEN, str(store.root)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    for folder in (store.root / "folder", store.root / STAGING_FOLDER):
        folder.chmod(0o755)
    assert [line.partition(" in ")[0] for line in said] == [
        "Cannot store 'a'",
        "Cannot read 'a'",
        "Cannot list 'folder'",
    ]
    assert all("Give this user the right" in line for line in said)
