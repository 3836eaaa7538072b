"""What every ObjectStore must do. A backend's tests inherit StoreContract and give a `store`."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Barrier

import pytest

from wan_pipelines.errors import FetchStopped, StorageError
from wan_pipelines.storage import ObjectStore

BAD_KEYS = [
    "",
    "/etc/passwd",
    "a//b",
    "a/",
    "..",
    "a/../b",
    "a/..",
    ".hidden",
    "a/.staging/b",
    "./a",
    "a\\b",
    "a\x00b",
    "a\nb",
    "a\x7f",
    "a\ud800",
    "x" * 256,
    "x/" * 600 + "x",
]
ODD_KEYS = ["a b/c.mp4", "50%/x#1?.mp4", "ü/日本語/🎬.webp", "a/-rf", "CON", "a:b", "'\"$(x)"]


class StoreContract:
    """The behaviour that the rest of the product builds on."""

    def test_what_was_put_is_read_back(self, store: ObjectStore, tmp_path: Path):
        source = tmp_path / "source.bin"
        source.write_bytes(bytes(range(256)) * 5000)

        from_file = store.put_file("videos/a.bin", source)
        from_bytes = store.put_bytes("videos/b.bin", b"hello")

        assert from_file.info == store.stat("videos/a.bin")
        assert (from_file.info.key, from_file.info.size_bytes) == ("videos/a.bin", 1_280_000)
        assert from_bytes.size_bytes == 5
        assert store.read_bytes("videos/a.bin") == source.read_bytes()
        with store.open("videos/b.bin") as file:
            assert (file.read(2), file.read()) == (b"he", b"llo")

    def test_a_stored_file_is_a_copy(self, store: ObjectStore, tmp_path: Path):
        source = tmp_path / "source.bin"
        source.write_bytes(b"before")
        store.put_file("a", source)
        source.write_bytes(b"after!")
        source.unlink()
        assert store.read_bytes("a") == b"before"

    def test_digests_are_of_what_passed_by(self, store: ObjectStore, tmp_path: Path):
        source, copy = tmp_path / "source.bin", tmp_path / "new" / "copy.bin"
        source.write_bytes(bytes(range(256)) * 5000)
        stored = store.put_file("a", source)
        got = store.get_file("a", copy)
        assert got == stored
        assert got.sha256 == sha256(source.read_bytes()).hexdigest()
        assert copy.read_bytes() == source.read_bytes()

    def test_who_watches_a_file_go_may_end_it(self, store: ObjectStore, tmp_path: Path):
        source, heard = tmp_path / "source.bin", [0]
        source.write_bytes(bytes(5_000_000))

        def passed(count: int) -> None:
            heard.append(count)
            if count > 2_000_000:
                raise FetchStopped("enough")

        with pytest.raises(FetchStopped, match="enough"):
            store.put_file("a", source, passed)
        assert heard == sorted(heard)
        assert list(store.list()) == []

    def test_an_empty_file_goes_there_and_back(self, store: ObjectStore, tmp_path: Path):
        (tmp_path / "empty").touch()
        stored = store.put_file("a", tmp_path / "empty")
        assert store.get_file("a", tmp_path / "copy") == stored
        assert (tmp_path / "copy").read_bytes() == b""

    def test_a_missing_object_leaves_a_local_file_alone(self, store: ObjectStore, tmp_path: Path):
        (tmp_path / "file").write_bytes(b"before")
        with pytest.raises(StorageError, match="'nothing'"):
            store.get_file("nothing", tmp_path / "file")
        assert [path.read_bytes() for path in tmp_path.glob("*file*")] == [b"before"]

    def test_what_is_created_exists_once(self, store: ObjectStore):
        created = store.create("a/b", b"first")
        assert created == store.stat("a/b")
        assert store.create("a/b", b"second") is None
        assert store.read_bytes("a/b") == b"first"
        store.delete("a/b")
        assert store.create("a/b", b"third") is not None

    def test_of_sixteen_that_create_at_once_one_succeeds(self, store: ObjectStore):
        start = Barrier(16)

        def create(number: int) -> bool:
            start.wait()
            return store.create("a", b"%d" % number) is not None

        with ThreadPoolExecutor(16) as threads:
            results = list(threads.map(create, range(16)))
        assert sum(results) == 1
        assert store.read_bytes("a") == b"%d" % results.index(True)

    def test_an_open_object_can_be_sought_in(self, store: ObjectStore):
        store.put_bytes("a", bytes(range(256)) * 4096)
        with store.open("a") as file:
            file.seek(700_001)
            assert file.read(2) == bytes([700_001 % 256, 700_002 % 256])
            assert file.seek(-1, 2) == 1_048_575
            assert (file.read(), file.read()) == (b"\xff", b"")
            file.seek(1)
            assert (file.read(1), file.tell()) == (b"\x01", 2)

    def test_it_is_known_when_something_was_stored(self, store: ObjectStore):
        before = datetime.now(UTC)
        stored_at = store.put_bytes("a", b"1").stored_at
        assert abs(stored_at - before) < timedelta(minutes=1)

    def test_putting_again_replaces_and_changes_the_signature(self, store: ObjectStore):
        first = store.put_bytes("a", b"1")
        second = store.put_bytes("a", b"22")
        assert store.read_bytes("a") == b"22"
        assert first.signature != second.signature
        assert store.stat("a") == second

    @pytest.mark.parametrize("start", [0, 1, 5_000_000, 5_000_001, 6_000_000])
    def test_a_stream_begins_anywhere(self, store: ObjectStore, start: int):
        content = bytes(range(250)) * 20_000
        store.put_bytes("a", content)
        pieces = list(store.stream("a", start=start))
        assert b"".join(pieces) == content[start:]
        assert all(pieces)

    def test_a_stream_of_nothing_is_an_error(self, store: ObjectStore):
        with pytest.raises(StorageError, match="'a'"):
            next(store.stream("a"))

    def test_a_reader_keeps_what_it_opened(self, store: ObjectStore):
        store.put_bytes("a", b"old")
        with store.open("a") as file:
            store.put_bytes("a", b"new")
            assert file.read() == b"old"

    def test_the_signature_stays_while_nothing_changes(self, store: ObjectStore):
        put = store.put_bytes("a", b"1")
        store.read_bytes("a")
        store.put_bytes("b", b"1")
        assert store.stat("a") == put

    def test_an_empty_object_is_an_object(self, store: ObjectStore):
        assert store.put_bytes("empty", b"").size_bytes == 0
        assert store.read_bytes("empty") == b""

    def test_missing_objects(self, store: ObjectStore):
        store.put_bytes("a/b", b"1")
        assert store.stat("nothing") is None
        assert store.stat("a/b/c") is None
        assert store.stat("a") is None
        store.delete("nothing")
        with pytest.raises(StorageError, match="'nothing'"):
            store.read_bytes("nothing")
        with pytest.raises(StorageError, match="'nothing'"):
            store.open("nothing")

    def test_a_missing_source_is_named(self, store: ObjectStore, tmp_path: Path):
        with pytest.raises(StorageError, match=r"gone\.mp4"):
            store.put_file("a", tmp_path / "gone.mp4")
        assert list(store.list()) == []

    def test_deleting(self, store: ObjectStore):
        store.put_bytes("a/b", b"1")
        store.put_bytes("a/c", b"1")
        store.delete("a/b")
        store.delete("a/b")
        assert [info.key for info in store.list()] == ["a/c"]

    def test_listing_is_by_prefix_and_sorted_by_key(self, store: ObjectStore):
        keys = ["a", "ab/c", "ab/d/e", "ab/d/f", "ab-c", "b"]
        for key in reversed(keys):
            store.put_bytes(key, key.encode())

        def listed(prefix: str) -> list[str]:
            return [info.key for info in store.list(prefix)]

        assert listed("") == ["a", "ab-c", "ab/c", "ab/d/e", "ab/d/f", "b"]
        assert listed("ab") == ["ab-c", "ab/c", "ab/d/e", "ab/d/f"]
        assert listed("ab/") == ["ab/c", "ab/d/e", "ab/d/f"]
        assert listed("ab/d") == ["ab/d/e", "ab/d/f"]
        assert listed("ab/d/e") == ["ab/d/e"]
        assert listed("nothing/here") == []
        assert all(info == store.stat(info.key) for info in store.list())

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_odd_names_come_back_unchanged(self, store: ObjectStore, key: str):
        store.put_bytes(key, key.encode())
        assert [info.key for info in store.list()] == [key]
        assert store.read_bytes(key) == key.encode()
        assert store.uri(key).isascii()
        assert " " not in store.link(key)

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_bad_keys_are_refused_everywhere(self, store: ObjectStore, key: str, tmp_path: Path):
        source = tmp_path / "source"
        source.write_bytes(b"1")
        for use in (
            lambda: store.put_bytes(key, b"1"),
            lambda: store.put_file(key, source),
            lambda: store.create(key, b"1"),
            lambda: store.get_file(key, tmp_path / "copy"),
            lambda: store.read_bytes(key),
            lambda: store.open(key),
            lambda: store.stat(key),
            lambda: store.delete(key),
            lambda: store.uri(key),
            lambda: store.link(key),
        ):
            with pytest.raises(StorageError, match="object key"):
                use()

    def test_a_listing_does_not_leave_the_store(self, store: ObjectStore):
        with pytest.raises(StorageError):
            list(store.list("../"))
        assert list(store.list("..")) == []

    def test_addresses_are_stable_and_distinct(self, store: ObjectStore):
        assert store.uri("a/b") == store.uri("a/b")
        assert store.uri("a/b") != store.uri("a%2Fb")
        assert "://" in store.link("a/b")
