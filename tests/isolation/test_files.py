"""Files of tenants lie apart, whatever tenants are called."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.encoding.publish import manifest_key
from wan_pipelines.errors import InputError, StorageError
from wan_pipelines.ledger.reports import output_files
from wan_pipelines.rendering.checkpoints import StoredCheckpoints
from wan_pipelines.storage import open_store
from wan_pipelines.storage.keys import (
    checkpoints_prefix,
    owned_key,
    page_key,
    tenant_prefix,
    video_key,
)
from wan_pipelines.studio.checkpoints import checkpoints_of
from wan_pipelines.studio.settings import read_settings

HOSTILE = ["../other", "a/b", "..", ".", "", ".hidden", "a\x00b", "a\\b", "a\nb", "x" * 300]
ALIKE = ["a", "a-b", "a_b", "A", "а", "aa", "á", "á", "a%", "a*", "a?"]
KEY = "ab" * 32


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_leaves_its_place_has_no_files(name: str):
    for made in (
        lambda: tenant_prefix(name),
        lambda: checkpoints_prefix(name),
        lambda: video_key(name, KEY, "take", "h264.mp4"),
        lambda: video_key("a", KEY, name, "h264.mp4"),
        lambda: video_key("a", KEY, "take", name),
        lambda: page_key(name, "demo", "first"),
        lambda: page_key("a", name, "first"),
        lambda: manifest_key(name, KEY, "take"),
    ):
        with pytest.raises(StorageError):
            made()


def test_no_tenants_prefix_begins_anothers():
    prefixes = [make(name) for make in (tenant_prefix, checkpoints_prefix) for name in ALIKE]
    for name in ALIKE:
        own = {tenant_prefix(name), checkpoints_prefix(name)}
        begun = {prefix for prefix in prefixes if prefix.startswith(tenant_prefix(name))}
        assert begun == own


@pytest.mark.parametrize("other", [name for name in ALIKE if name != "a"])
def test_a_tenants_file_is_no_others(other: str):
    key = video_key("a", KEY, "take", "h264.mp4")
    assert owned_key("a", key) == key
    with pytest.raises(StorageError, match="is none of tenant"):
        owned_key(other, key)


@pytest.mark.parametrize(
    "key", ["tenants/a", "tenants/ab/x", "artifacts/a/x", "tenants/a/../b/x", "/tenants/a/x"]
)
def test_what_only_looks_like_a_tenants_file_is_none(key: str):
    with pytest.raises(StorageError):
        owned_key("a", key)


def test_checkpoints_of_equal_shots_lie_apart(tmp_path: Path):
    store = open_store(str(tmp_path))
    mine, theirs = (StoredCheckpoints(store, checkpoints_prefix(name)) for name in ("a", "a-b"))
    theirs.save(KEY, b"latents")
    assert mine.load(KEY, 100) is None
    mine.remove(KEY)
    assert theirs.load(KEY, 100) == b"latents"
    with pytest.raises(StorageError):
        mine.load(f"../../a-b/checkpoints/{KEY}", 100)


@pytest.mark.parametrize("name", ["../other", "a/b", "Demo", "dеmo", "a b", "a%", "", "-a"])
def test_an_environment_has_no_tenants_of_such_names(quick_project: Project, name: str):
    quick_project.environment(tenants={"demo": {"plan": "studio"}, name: {"plan": "studio"}})
    with pytest.raises(InputError, match="tenants"):
        read_settings(quick_project.root, "local")


def test_everything_that_an_edition_leaves_lies_below_its_tenant(quick_project: Project):
    """Videos, manifests, pages, posters, statements: told apart in files and in their words."""
    for name, tenant in (("ours", "demo"), ("theirs", "small")):
        quick_project.campaign(name, tenant=tenant, prompts=[f"a ball of {tenant}"])
        render_edition(quick_project.studio(), campaign=name)
    studio = quick_project.studio()
    keys = {info.key for info in studio.store.list() if not info.key.startswith(".")}
    kept = {key for key in keys if key.startswith(("tenants/demo/", "tenants/small/"))}
    assert not {key for key in keys - kept if "ours" in key or "theirs" in key}
    for tenant, other, theirs in (("demo", "small", "theirs"), ("small", "demo", "ours")):
        files = output_files(studio.ledger, tenant)
        assert files
        assert all(owned_key(tenant, file.key) for file in files)
        for key in (key for key in kept if key.startswith(tenant_prefix(tenant))):
            content = studio.store.read_bytes(key)
            assert f"tenants/{other}/".encode() not in content, key
            assert f"a ball of {other}".encode() not in content, key
            assert not key.endswith((".html", ".json")) or theirs.encode() not in content, key


def test_a_shot_goes_on_from_its_own_tenants_checkpoint_only(quick_project: Project):
    studio = quick_project.studio()
    checkpoints_of(studio, "demo").save(KEY, b"latents")
    assert checkpoints_of(studio, "small").load(KEY, 100) is None
    (stored,) = (info for info in studio.checkpoints.list() if KEY in info.key)
    assert stored.key.startswith(tenant_prefix("demo"))
    assert stored.stored_at <= datetime.now(UTC)
