"""Weights fetched onto a node: once, whole, and never again what is there."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.disks import small_disk
from tests.weights.node.conftest import SIZES, Node, same
from tests.weights.node.stores import published, random_weights
from wan_pipelines.errors import FetchStopped, WeightsError
from wan_pipelines.weights.manifest import Manifest, verify
from wan_pipelines.weights.node.checking import recheck
from wan_pipelines.weights.node.fetching import Fetching
from wan_pipelines.weights.node.locks import in_use
from wan_pipelines.weights.node.ready import mark_ready, whole

TOTAL = sum(SIZES.values())
LARGE = "transformer/model.dat"


class Usage(NamedTuple):
    free: int


def no_wait() -> None:
    raise AssertionError("nobody else fetches")


def test_what_arrives_is_whole_and_verified(node: Node, tmp_path: Path) -> None:
    folder, manifest = node.fetch()
    assert same(folder, tmp_path / "weights")
    verify(folder, manifest)
    (ready,) = node.told("ready")
    assert (ready["fetched_bytes"], ready["had_from"]) == (TOTAL, "store")
    (began,) = node.told("began")
    assert (began["files"], began["missing_bytes"]) == (3, TOTAL)


def test_what_is_there_needs_no_store(node: Node) -> None:
    first = node.fetch()
    opened = node.store.opened
    (node.store.root / "weights").rename(node.store.root / "gone")
    assert node.fetch() == first
    assert node.store.opened == opened
    assert node.told("ready")[-1]["had_from"] == "cache"


def test_a_cache_that_was_removed_by_hand_is_made_anew(node: Node, tmp_path: Path) -> None:
    """While a process that has used it lives: what it holds afterwards is the new one."""
    node.fetch()
    shutil.rmtree(node.cache)
    folder, _ = node.fetch()
    assert same(folder, tmp_path / "weights")
    assert in_use(node.entry)


def test_70_gb_are_known_to_be_there_without_reading_them(node: Node, tmp_path: Path) -> None:
    """Files of holes, which would take minutes to read: the test would time out."""
    node.fetch()
    files = Manifest.read(node.entry.files).files
    sparse = [file.model_copy(update={"size": 35 * 10**9}) for file in files if file.size > 20]
    for file in sparse:
        os.truncate(node.entry.files / file.path, file.size)
    manifest = Manifest.read(node.entry.files).model_copy(
        update={"files": (*sparse, *(file for file in files if file.size <= 20))}
    )
    manifest.write(node.entry.files)
    mark_ready(node.entry, manifest)
    assert node.fetch()[1].size_bytes > 70 * 10**9


@pytest.mark.parametrize("bytes_there", [1, 5_000_000])
def test_a_part_is_gone_on_with(node: Node, tmp_path: Path, bytes_there: int) -> None:
    part = node.entry.part(LARGE)
    part.parent.mkdir(parents=True)
    part.write_bytes((tmp_path / "weights" / LARGE).read_bytes()[:bytes_there])
    folder, _ = node.fetch()
    assert same(folder, tmp_path / "weights")
    assert node.told("ready")[-1]["fetched_bytes"] == TOTAL - bytes_there


@pytest.mark.parametrize("bytes_there", [5_000_000, 6_000_000, 7_000_000])
def test_a_part_that_is_spoilt_is_put_aside(node: Node, tmp_path: Path, bytes_there: int) -> None:
    part = node.entry.part(LARGE)
    part.parent.mkdir(parents=True)
    part.write_bytes(os.urandom(bytes_there))
    folder, _ = node.fetch()
    assert same(folder, tmp_path / "weights")
    assert len(node.told("quarantined")) == (1 if bytes_there <= 6_000_000 else 0)


def test_a_damaged_file_is_put_aside_and_fetched_again(node: Node, tmp_path: Path) -> None:
    """Of the right size, as after a bad sector: only the time of its change tells."""
    folder, _ = node.fetch()
    damaged = bytearray((folder / LARGE).read_bytes())
    damaged[100] ^= 1
    (folder / LARGE).write_bytes(damaged)
    assert whole(node.entry) is None
    node.fetch()
    assert same(folder, tmp_path / "weights")
    (quarantined,) = node.told("quarantined")
    assert "right size but other content" in quarantined["why"]
    assert (node.entry.quarantine / "transformer--model.dat").read_bytes() == damaged
    assert node.told("ready")[-1]["fetched_bytes"] == SIZES[LARGE]


def test_a_file_that_was_only_touched_is_read_and_kept(node: Node) -> None:
    folder, _ = node.fetch()
    os.utime(folder / LARGE, ns=(1, 1))
    opened = node.store.opened
    node.fetch()
    assert node.store.opened == opened
    assert whole(node.entry)


def test_a_silent_change_is_found_by_reading_all(node: Node, tmp_path: Path) -> None:
    folder, _ = node.fetch()
    before = (folder / LARGE).stat()
    with (folder / LARGE).open("r+b") as file:
        file.write(b"other")
    os.utime(folder / LARGE, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert whole(node.entry)
    assert recheck(node.entry, Fetching(), no_wait) == (LARGE,)
    node.fetch()
    assert same(folder, tmp_path / "weights")


def test_what_is_no_part_of_them_is_put_aside(node: Node) -> None:
    folder, _ = node.fetch()
    (folder / "stray.txt").write_text("?")
    (folder / "vae" / "model.dat").unlink()
    (folder / "vae" / "model.dat").symlink_to("/etc/hostname")
    node.fetch()
    assert {event["path"] for event in node.told("quarantined")} == {"stray.txt", "vae/model.dat"}
    assert not (folder / "vae" / "model.dat").is_symlink()


def test_damage_in_the_store_is_an_error_that_says_so(node: Node) -> None:
    path = node.store.root / "weights" / "sample" / node.pin.revision / LARGE
    path.write_bytes(os.urandom(SIZES[LARGE]))
    with pytest.raises(WeightsError, match="mirror` again"):
        node.fetch()
    assert whole(node.entry) is None


def test_a_shorter_object_is_an_error_that_says_so(node: Node) -> None:
    os.truncate(node.store.root / "weights" / "sample" / node.pin.revision / LARGE, 1000)
    with pytest.raises(WeightsError, match="ends after 1000 of 6000000 bytes"):
        node.fetch()


def test_other_content_under_the_same_name_is_noticed(node: Node, tmp_path: Path) -> None:
    """Somebody mirrored anew; files of the same size are those of before, down to their times."""
    node.fetch()
    node.store.delete(f"weights/sample/{node.pin.revision}/manifest.json")
    weights = random_weights(tmp_path / "other", SIZES)
    published(node.store.root, weights, node.pin)
    content = Manifest.read(weights).digest
    folder, _ = node.fetch(node.pin.model_copy(update={"content": content}))
    assert same(folder, weights)


def test_weights_that_were_never_mirrored_are_an_error(node: Node) -> None:
    with pytest.raises(WeightsError, match="wan weights mirror"):
        node.fetch(node.pin.model_copy(update={"revision": "other"}))


def test_other_content_than_pinned_is_refused(node: Node) -> None:
    with pytest.raises(WeightsError, match="and the release pins 000"):
        node.fetch(node.pin.model_copy(update={"content": "0" * 64}))


def test_told_to_stop_it_keeps_what_it_has(node: Node, tmp_path: Path) -> None:
    how = Fetching()

    def stop_in_the_middle(key: str, count: int) -> None:
        if key.endswith(LARGE) and count >= 4_000_000:
            how.stop.set()

    node.store.passing = stop_in_the_middle
    with pytest.raises(FetchStopped, match="goes on from there"):
        node.fetch(stop=how.stop)
    kept = node.entry.part(LARGE).stat().st_size
    assert 4_000_000 <= kept < SIZES[LARGE]
    folder, _ = node.fetch()
    assert same(folder, tmp_path / "weights")
    assert node.told("ready")[-1]["fetched_bytes"] <= TOTAL - kept


def test_too_small_a_disk_is_told_before_anything_is_fetched(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage(free=1_000_000))
    with pytest.raises(WeightsError, match=r"needs 0\.01 GB more .*disk has 0\.00 GB free"):
        node.fetch()
    assert node.store.opened == []


def test_a_disk_that_fills_meanwhile_is_told_and_the_part_kept(node: Node, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", kibibytes=4000) as disk:
        node.cache = disk
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("wan_pipelines.weights.node.eviction.SPARE_BYTES", -(10**9))
            with pytest.raises(WeightsError, match=r"No space left.*GB are missing, 0\.00 GB free"):
                node.fetch()
        assert node.entry.part(LARGE).stat().st_size > 1_000_000
