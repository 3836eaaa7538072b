"""Disks that are full or read-only, under the store, the drafts or the ledger.

Each is answered with a clear error; when it is put right, the next run makes what is missing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage

import pytest

from tests.support.disks import read_only, small_disk
from tests.survival.conftest import WORKERS
from tests.survival.hands import Answer
from tests.survival.scenes import PROMPTS, Scene
from wan_pipelines.errors import LedgerError, StorageError
from wan_pipelines.ledger.whose import House

MANY = [f"ball number {number} rising" for number in range(8)]
SAME_FAILURES = 3
"""So many shots in a row fail the same way before a worker stops."""


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Nearly nothing is free for a while."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(0, disk_usage(disk).free - 4096)))
    yield
    ballast.unlink()


def test_a_full_store(scene: Scene) -> None:
    shard = scene.shard()
    with small_disk(scene.project.state / "store", kibibytes=512) as disk:
        with filled(disk):
            answer = scene.begin(shard, "full").answer()
        assert_all_failed(answer)
        assert all("The disk is full: free space" in error for error in scene.errors())
        scene.run()
        scene.check()


def test_a_full_disk_stops_the_shard_before_it_wastes_more(scene: Scene) -> None:
    scene.project.campaign(prompts=MANY)
    shard = scene.shard()
    with small_disk(scene.project.state / "store", kibibytes=4096) as disk:
        with filled(disk):
            answer = scene.begin(shard, "full", seconds_per_step=0.1).answer()
        assert answer.error == "RenderError"
        assert "the shard stops; the other shots are untouched" in answer.message
        assert "The disk is full: free space" in answer.message
        assert SAME_FAILURES <= attempts(scene) < len(MANY)
        scene.run()
        scene.check()


def test_a_full_disk_for_drafts(scene: Scene) -> None:
    shard = scene.shard()
    with small_disk(scene.project.state / "cache", kibibytes=512) as disk:
        with filled(disk):
            answer = scene.begin(shard, "full").answer()
        assert_all_failed(answer)
        assert all("Free space on the disk" in error for error in scene.errors())
        scene.run()
        scene.check()


def test_a_full_disk_under_the_ledger(scene: Scene, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kibibytes=2048) as disk:
        scene.project.environment(ledger=str(disk / "ledger.sqlite"), workers=WORKERS)
        hand = scene.begin(scene.shard(), "full", wait_at=PROMPTS[1])
        hand.until_it_waits()
        with filled(disk):
            (disk / "crumbs").write_bytes(bytes(disk_usage(disk).free))
            hand.go_on()
            answer = hand.answer()
            (disk / "crumbs").unlink()
        assert answer.error == "LedgerError"
        assert "the disk is full. Free some space; nothing was lost" in answer.message
        scene.run()
        scene.check()
        scene.studio.ledger.close()


def test_a_store_that_nobody_may_write(scene: Scene) -> None:
    shard = scene.shard()
    with small_disk(scene.project.state / "store", kibibytes=512) as disk:
        with read_only(disk):
            assert scene.begin(shard, "read-only").answer().error == "StorageError"
            with pytest.raises(StorageError, match="read-only: mount it writable"):
                scene.admitted()
        scene.run()
        scene.check()


def test_a_ledger_that_nobody_may_write(scene: Scene, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kibibytes=1024) as disk:
        scene.project.environment(ledger=str(disk / "ledger.sqlite"), workers=WORKERS)
        with read_only(disk), pytest.raises(LedgerError, match="cannot be opened for writing"):
            scene.admitted()
        assert scene.admitted()


def test_a_state_folder_that_nobody_may_write(scene: Scene) -> None:
    with small_disk(scene.project.root / "elsewhere", kibibytes=64) as disk, read_only(disk):
        studio = scene.project.studio
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(scene.project), "state", disk / "state")
            with pytest.raises(StorageError, match="WAN_PIPELINES_STATE"):
                studio()


def assert_all_failed(answer: Answer) -> None:
    assert answer.error == ""
    assert (answer.summary["accepted"], len(answer.summary["failed"])) == (0, len(PROMPTS))


def attempts(scene: Scene) -> int:
    """How many takes were begun."""
    from sqlalchemy import func, select

    from wan_pipelines.ledger.tables import TakeRow

    with scene.studio.ledger.read(House("audit")) as session:
        return session.execute(select(func.count(TakeRow.id))).scalar_one()
