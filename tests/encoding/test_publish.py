import hashlib
from pathlib import Path

import pytest

from tests.encoding.manifests import RENDER_KEY, manifest_of
from tests.support.disks import small_disk
from wan_pipelines.encoding.publish import (
    manifest_key,
    publish,
    publish_manifest,
    read_manifest,
)
from wan_pipelines.errors import EncodeError, StorageError
from wan_pipelines.storage import FolderStore

FOLDER = f"tenants/acme/videos/ab/{RENDER_KEY}/take-1/"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store", durable=False)


def test_every_file_is_stored_and_described(store: FolderStore, encoded: dict[str, Path]):
    published = publish(store, "acme", RENDER_KEY, "take-1", encoded)

    assert [file.name for file in published] == ["h264", "h264-half", "av1", "poster", "preview"]
    assert sorted(file.key for file in published) == [info.key for info in store.list()]
    for file in published:
        content = store.read_bytes(file.key)
        assert content == encoded[file.name].read_bytes()
        assert file.key == FOLDER + encoded[file.name].name
        assert (file.sha256, file.size_bytes) == (
            hashlib.sha256(content).hexdigest(),
            len(content),
        )
        info = store.stat(file.key)
        assert info is not None
        assert (file.uri, file.signature) == (store.uri(file.key), info.signature)


def test_pictures_and_videos_tell_what_they_are(store: FolderStore, encoded: dict[str, Path]):
    published = publish(store, "acme", RENDER_KEY, "take-1", encoded)
    by_name = {file.name: file for file in published}
    half, poster, preview = by_name["h264-half"], by_name["poster"], by_name["preview"]
    assert (half.codec, half.width, half.height) == ("h264", 48, 32)
    assert (half.fps, half.frames, half.duration_seconds) == (8, 17, 2.125)
    assert (poster.codec, poster.width, poster.height) == ("webp", 96, 64)
    assert (poster.fps, poster.frames, poster.duration_seconds) == (0, 1, 0)
    assert (preview.codec, preview.duration_seconds) == ("webp", 2)


def test_one_damaged_file_keeps_all_from_being_published(
    store: FolderStore, encoded: dict[str, Path], tmp_path: Path
):
    cut = tmp_path / "preview.webp"
    cut.write_bytes(encoded["preview"].read_bytes()[:-100])
    with pytest.raises(EncodeError, match=r"preview\.webp"):
        publish(store, "acme", RENDER_KEY, "take-1", {**encoded, "preview": cut})
    assert list(store.list()) == []


def test_a_store_that_is_full_is_told(encoded: dict[str, Path], tmp_path: Path):
    with small_disk(tmp_path / "disk", kibibytes=24) as disk:
        store = FolderStore(disk)
        publish(store, "acme", RENDER_KEY, "take-1", encoded)
        with pytest.raises(StorageError, match="disk is full"):
            publish(store, "acme", RENDER_KEY, "take-2", encoded)
        whole = {path.name: path.read_bytes() for path in encoded.values()}
        for info in store.list():
            assert store.read_bytes(info.key) == whole[info.key.rpartition("/")[2]]


@pytest.mark.parametrize("tenant", ["../other", "a/b", ""])
def test_a_tenant_cannot_publish_elsewhere(
    tenant: str, store: FolderStore, encoded: dict[str, Path]
):
    with pytest.raises(StorageError):
        publish(store, tenant, RENDER_KEY, "take-1", encoded)
    assert list(store.list()) == []


def test_a_manifest_lies_beside_its_video_and_is_replaced_when_it_is_charged(
    store: FolderStore, encoded: dict[str, Path]
):
    manifest = manifest_of(publish(store, "acme", RENDER_KEY, "take-1", encoded))
    info = publish_manifest(store, manifest)
    assert info.key == manifest_key("acme", RENDER_KEY, "take-1") == FOLDER + "manifest.json"
    assert read_manifest(store, info.key) == manifest

    charged = manifest.model_copy(update={"charge_micro_usd": 1234})
    publish_manifest(store, charged)
    assert read_manifest(store, info.key) == charged
    assert all(store.stat(FOLDER + rendition.file) for rendition in charged.renditions)


@pytest.mark.parametrize(
    ("content", "where"),
    [(b"", "document"), (b"{}", "created_at"), (b"[1]", "document"), (b"\xff", "document")],
)
def test_what_is_no_manifest_is_named(content: bytes, where: str, store: FolderStore):
    store.put_bytes("a/manifest.json", content)
    with pytest.raises(StorageError, match=rf"a/manifest\.json is no video manifest: {where}"):
        read_manifest(store, "a/manifest.json")
