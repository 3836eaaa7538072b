"""A set published in a store: whole, once, and gone on with where it was cut short."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from tests.weights.mirroring.conftest import COMMIT
from wan_pipelines.errors import FetchStopped, StorageError, WeightsError
from wan_pipelines.storage import FolderStore, StoredFile
from wan_pipelines.storage.hashing import Passed
from wan_pipelines.weights.events import Event
from wan_pipelines.weights.manifest import Conversion, Manifest
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.mirroring.drafts import drafts_folder
from wan_pipelines.weights.mirroring.origins import open_folder
from wan_pipelines.weights.mirroring.publish import Publication, Wish
from wan_pipelines.weights.pins import Pin

PIN = Pin(name="sample", revision=COMMIT)
CONVERSION = Conversion(bfloat16=("transformer",), keep=("norm1",), shard_bytes=2500)


class FailingStore(FolderStore):
    """Counts what is put, and fails at the file that comes when `left` are through."""

    def __init__(self, root: Path, left: int) -> None:
        super().__init__(root, durable=False)
        self.left = left
        self.put: list[str] = []

    def put_file(self, key: str, path: Path, passed: Passed | None = None) -> StoredFile:
        if self.left <= 0:
            raise StorageError("the store went away")
        self.left -= 1
        stored = super().put_file(key, path, passed)
        self.put.append(key)
        return stored


def publication(
    mirror: WeightsMirror,
    snapshot: Path,
    tmp_path: Path,
    told: list[Event] | None = None,
    **of: Any,
) -> Publication:
    fields: dict[str, Any] = {"pin": PIN, "conversion": CONVERSION, "dtype": "bfloat16", **of}
    wish = Wish(origin=open_folder(snapshot), licence="Apache-2.0", **fields)
    tell = [].append if told is None else told.append
    return Publication(mirror, wish, tmp_path / "drafts", tell, Flag())


def keys(mirror: WeightsMirror) -> Sequence[str]:
    return [info.key for info in mirror.store.list()]


def test_the_manifest_says_what_lies_there_and_where_it_comes_from(
    mirror: WeightsMirror, snapshot: Path, tmp_path: Path
) -> None:
    published = publication(mirror, snapshot, tmp_path).run()
    manifest = mirror.find(PIN)
    assert manifest
    assert manifest == published
    assert (manifest.licence, manifest.origin) == ("Apache-2.0", str(snapshot))
    assert (manifest.revision, manifest.conversion) == (COMMIT, CONVERSION)
    for file in manifest.files:
        content = mirror.store.read_bytes(mirror.key(PIN, file.path))
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        header = content[8 : 8 + int.from_bytes(content[:8], "little")]
        is_tensors = file.path.endswith(".safetensors")
        assert file.header_sha256 == (hashlib.sha256(header).hexdigest() if is_tensors else None)
    assert list(mirror.pins()) == [PIN]
    assert {key.split("/")[0] for key in keys(mirror)} == {"weights"}
    assert list((tmp_path / "drafts").iterdir()) == []


def test_again_changes_nothing(mirror: WeightsMirror, snapshot: Path, tmp_path: Path) -> None:
    publication(mirror, snapshot, tmp_path).run()
    before = {info.key: info.stored_at for info in mirror.store.list()}
    told: list[Event] = []
    publication(mirror, snapshot, tmp_path, told).run()
    assert {info.key: info.stored_at for info in mirror.store.list()} == before
    assert told[-1].to_json()["uploaded_bytes"] == 0


def test_cut_short_it_goes_on_without_what_is_there(snapshot: Path, tmp_path: Path) -> None:
    store = FailingStore(tmp_path / "store", left=4)
    mirror = WeightsMirror(store)
    with pytest.raises(StorageError, match="went away"):
        publication(mirror, snapshot, tmp_path).run()
    assert mirror.find(PIN) is None
    first, store.left, store.put = store.put, 100, []
    manifest = publication(mirror, snapshot, tmp_path).run()
    assert not set(first) & set(store.put)
    assert len(first) + len(store.put) == len(manifest.files)
    whole = WeightsMirror(FolderStore(tmp_path / "other", durable=False))
    assert publication(whole, snapshot, tmp_path).run() == manifest


def test_what_was_uploaded_of_another_origin_is_uploaded_again(
    snapshot: Path, tmp_path: Path
) -> None:
    store = FailingStore(tmp_path / "store", left=100)
    mirror = WeightsMirror(store)
    store.left = 5
    with pytest.raises(StorageError):
        publication(mirror, snapshot, tmp_path).run()
    store.left = 100
    other = Conversion(bfloat16=("transformer",), shard_bytes=2500)
    found = publication(mirror, snapshot, tmp_path, conversion=other).run()
    whole = WeightsMirror(FolderStore(tmp_path / "other", durable=False))
    assert publication(whole, snapshot, tmp_path, conversion=other).run() == found


def test_files_that_are_gone_from_the_store_are_put_there_again(
    mirror: WeightsMirror, snapshot: Path, tmp_path: Path
) -> None:
    manifest = publication(mirror, snapshot, tmp_path).run()
    lost = mirror.key(PIN, manifest.files[3].path)
    mirror.store.delete(lost)
    assert publication(mirror, snapshot, tmp_path).run() == manifest
    assert mirror.store.stat(lost)


def test_the_same_weights_in_another_way_are_refused(
    mirror: WeightsMirror, snapshot: Path, tmp_path: Path
) -> None:
    publication(mirror, snapshot, tmp_path).run()
    other = publication(mirror, snapshot, tmp_path, conversion=Conversion(shard_bytes=10**9))
    with pytest.raises(WeightsError, match="mirrored in another way: bfloat16 in transformer"):
        other.run()


def test_a_damaged_origin_is_not_published(
    mirror: WeightsMirror, snapshot: Path, tmp_path: Path
) -> None:
    """Its blob's name is the digest that it should have."""
    blob = (snapshot / "vae" / "model.safetensors").resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"\1")
    with pytest.raises(WeightsError, match=r"vae/model\.safetensors is damaged"):
        publication(mirror, snapshot, tmp_path).run()
    assert keys(mirror) == []


def test_other_content_than_a_release_pins_is_not_published(
    mirror: WeightsMirror, snapshot: Path, tmp_path: Path
) -> None:
    pin = PIN.model_copy(update={"content": "0" * 64})
    with pytest.raises(WeightsError, match="It is not published"):
        publication(mirror, snapshot, tmp_path, pin=pin).run()
    assert mirror.find(PIN) is None


def test_somebody_elses_manifest_stays(
    mirror: WeightsMirror, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people mirror other files under one revision at the same time: one of them is told."""
    own = publication(mirror, snapshot, tmp_path)
    other = Manifest.build(snapshot.parents[1], release="x", dtype="float32", revision=COMMIT)
    create = mirror.store.create

    def beaten(key: str, data: bytes) -> Any:
        create(key, other.to_bytes())
        return create(key, data)

    monkeypatch.setattr(mirror.store, "create", beaten)
    with pytest.raises(WeightsError, match="lists other files"):
        own.run()
    assert mirror.find(PIN) == other


def test_told_to_stop_nothing_is_published(
    mirror: WeightsMirror, snapshot: Path, tmp_path: Path
) -> None:
    wish = Wish(PIN, open_folder(snapshot), CONVERSION, "bfloat16", "Apache-2.0")
    stop = Flag()
    stop.set()
    with pytest.raises(FetchStopped):
        Publication(mirror, wish, tmp_path / "drafts", lambda _event: None, stop).run()
    assert mirror.find(PIN) is None


def test_told_to_stop_while_a_file_is_on_its_way_it_stops_there(
    snapshot: Path, tmp_path: Path
) -> None:
    """A file may be tens of gigabytes: nobody waits for its end, and it shows how far it is."""
    stop, heard = Flag(), [0]

    class Slow(FolderStore):
        def put_file(self, key: str, path: Path, passed: Passed | None = None) -> StoredFile:
            def told(count: int) -> None:
                stop.set()
                heard.append(count)
                assert passed
                passed(count)

            return super().put_file(key, path, told)

    mirror = WeightsMirror(Slow(tmp_path / "store", durable=False))
    wish = Wish(PIN, open_folder(snapshot), CONVERSION, "bfloat16", "Apache-2.0")
    with pytest.raises(FetchStopped):
        Publication(mirror, wish, tmp_path / "drafts", lambda _event: None, stop).run()
    assert max(heard) > 0
    assert keys(mirror) == []
    assert list((tmp_path / "drafts").iterdir()) == []


def test_drafts_of_the_dead_are_removed_and_those_of_others_stay(tmp_path: Path) -> None:
    with drafts_folder(tmp_path) as others:
        (others / "draft").write_text("?")
        left = tmp_path / ".mirror-left"
        left.mkdir()
        (left / "draft").write_text("?")
        os.utime(left, (1, 1))
        with drafts_folder(tmp_path) as own:
            assert set(tmp_path.iterdir()) == {others, own}
        assert (others / "draft").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_plan_stores_nothing(mirror: WeightsMirror, snapshot: Path, tmp_path: Path) -> None:
    told: list[Event] = []
    publication(mirror, snapshot, tmp_path, told).plan()
    assert keys(mirror) == []
    planned = {event.to_json()["path"]: event.to_json() for event in told}
    assert planned["vae/model.safetensors"]["how"] == "copied"
    assert planned["transformer/diffusion_pytorch_model-00001-of-00002.safetensors"]["how"] == (
        "written anew"
    )
