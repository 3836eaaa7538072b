"""A store that goes away, whole or in parts, and comes back."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ledger import books
from tests.survival.scenes import PROMPTS, Scene, accepted
from wan_pipelines.errors import StorageError


@contextmanager
def unmounted(store: Path) -> Iterator[None]:
    """In place of the store there is an empty folder, as where a volume is not mounted."""
    elsewhere = store.rename(store.with_name("elsewhere"))
    store.mkdir()
    yield
    shutil.rmtree(store)
    elsewhere.rename(store)


def test_an_unmounted_store_is_not_taken_for_lost_videos(scene: Scene) -> None:
    """Else all of them would be rendered and paid for again."""
    scene.run()
    shard = scene.shard()
    with unmounted(scene.project.state / "store"):
        with pytest.raises(StorageError, match="If it is a volume, mount it"):
            scene.admitted()
        assert scene.begin(shard).answer().error == "StorageError"
    assert accepted(scene.run()) == 0
    scene.check()


def test_a_store_that_vanishes_while_a_worker_renders(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "first", wait_at=PROMPTS[1])
    hand.until_it_waits()
    wait_for_accepted(scene, 1)
    with unmounted(scene.project.state / "store"):
        hand.go_on()
        assert len(hand.answer().summary["failed"]) == 2
    assert all("If it is a volume, mount it" in error for error in scene.errors())
    assert accepted(scene.run()) == 2
    scene.check()


def test_a_store_that_is_lost_for_good_is_filled_again(scene: Scene) -> None:
    scene.run()
    store = scene.project.state / "store"
    shutil.rmtree(store)
    with pytest.raises(StorageError, match=r"store\.txt: then the videos are rendered again"):
        scene.admitted()
    store.mkdir()
    (store / "store.txt").touch()
    assert accepted(scene.run(run="again")) == len(PROMPTS)
    scene.check()


@pytest.mark.parametrize(
    ("name", "harm"),
    [("h264.mp4", "damaged"), ("manifest.json", "lost"), ("manifest.json", "damaged")],
)
def test_a_file_that_is_lost_or_damaged_is_made_again(scene: Scene, name: str, harm: str) -> None:
    scene.run()
    file = next((scene.project.state / "store").rglob(name))
    if harm == "lost":
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    assert accepted(scene.run(run="again")) == 1
    scene.check()


def wait_for_accepted(scene: Scene, count: int) -> None:
    ledger = scene.studio.ledger
    while books.accepted_takes(ledger).total() < count:
        pass
