"""Checkpoints as objects of a store."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wan_pipelines.errors import StorageError
from wan_pipelines.rendering.checkpoints import StoredCheckpoints, remove_older
from wan_pipelines.storage import FolderStore

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "checkpoints", durable=False)


@pytest.fixture
def checkpoints(store: FolderStore) -> StoredCheckpoints:
    return StoredCheckpoints(store, "tenants/acme/checkpoints/")


def test_the_last_one_is_found_again(checkpoints: StoredCheckpoints, store: FolderStore) -> None:
    assert checkpoints.load(KEY, 100) is None
    checkpoints.save(KEY, b"first")
    checkpoints.save(KEY, b"second")
    checkpoints.save(OTHER, b"other")
    elsewhere = StoredCheckpoints(FolderStore(store.root), "tenants/acme/checkpoints/")
    assert elsewhere.load(KEY, 100) == b"second"
    checkpoints.remove(KEY)
    checkpoints.remove(KEY)
    assert elsewhere.load(KEY, 100) is None
    assert elsewhere.load(OTHER, 100) == b"other"


def test_tenants_do_not_see_each_others(checkpoints: StoredCheckpoints, store: FolderStore) -> None:
    checkpoints.save(KEY, b"acme's")
    assert StoredCheckpoints(store, "tenants/umbrella/checkpoints/").load(KEY, 100) is None


def test_one_that_is_too_large_is_not_read(checkpoints: StoredCheckpoints) -> None:
    checkpoints.save(KEY, b"x" * 101)
    with pytest.raises(StorageError, match=r"has 101 bytes; .* at most 100. Delete it"):
        checkpoints.load(KEY, 100)


@pytest.mark.parametrize("key", ["../secret", "", "a/../../b", ".hidden"])
def test_keys_lead_nowhere_else(checkpoints: StoredCheckpoints, key: str) -> None:
    for use in (lambda: checkpoints.load(key, 100), lambda: checkpoints.save(key, b"x")):
        if key:
            with pytest.raises(StorageError):
                use()


def test_old_ones_are_removed_and_nothing_else(
    checkpoints: StoredCheckpoints, store: FolderStore
) -> None:
    now = datetime.now(UTC)
    checkpoints.save(KEY, b"old")
    checkpoints.save(OTHER, b"new")
    store.put_bytes("tenants/acme/videos/h264.mp4", b"a video")
    for path in store.root.rglob("*"):
        if KEY in path.name or path.suffix == ".mp4":
            os.utime(path, (0, (now - timedelta(days=5)).timestamp()))
    assert remove_older(store, now - timedelta(days=3)) == 1
    assert checkpoints.load(KEY, 100) is None
    assert checkpoints.load(OTHER, 100) == b"new"
    assert store.stat("tenants/acme/videos/h264.mp4")
