"""What every ObjectStore must do. A backend's tests inherit StoreContract and give a `store`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wan_pipelines.errors import StorageError
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

        assert from_file == store.stat("videos/a.bin")
        assert (from_file.key, from_file.size_bytes) == ("videos/a.bin", 1_280_000)
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
