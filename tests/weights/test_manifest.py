"""Manifests: what they list, which differences they find, and what they refuse."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.manifest import Manifest, file_sha256, verify

WEIGHTS = "vae/model.safetensors"


def test_it_lists_every_file_with_size_and_digest(folder: Path) -> None:
    manifest = Manifest.read(folder)
    assert [file.path for file in manifest.files] == [
        "README.md",
        "model_index.json",
        "transformer/model.safetensors",
        WEIGHTS,
    ]
    for file in manifest.files:
        content = (folder / file.path).read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifest.size_bytes == sum(file.size for file in manifest.files)
    data = json.loads((folder / "manifest.json").read_text())
    assert list(data) == ["schema", "release", "revision", "dtype", "files"]
    assert data["schema"] == 1


def test_without_a_revision_the_content_is_the_revision(folder: Path) -> None:
    manifest = Manifest.read(folder)
    assert manifest.revision == manifest.digest[:40]
    (folder / "README.md").write_text("Other words draw the same pixels.")
    assert Manifest.build(folder, release="x", dtype="float32").digest == manifest.digest
    (folder / "model_index.json").write_text("{ }")
    assert Manifest.build(folder, release="x", dtype="float32").digest != manifest.digest
    pinned = Manifest.build(folder, release="x", dtype="float32", revision="v1")
    assert pinned.revision == "v1"


def test_a_whole_folder_has_no_problems(folder: Path) -> None:
    manifest = Manifest.read(folder)
    assert manifest.problems(folder) == ()
    verify(folder, manifest)


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "path", "kind"),
    [
        (lambda f: (f / WEIGHTS).unlink(), WEIGHTS, "missing"),
        (lambda f: (f / "notes.txt").write_text("?"), "notes.txt", "extra"),
        (lambda f: (f / "README.md").write_text("x"), "README.md", "size"),
        (lambda f: flip_last_byte(f / WEIGHTS), WEIGHTS, "digest"),
        (lambda f: os.truncate(f / WEIGHTS, 100), WEIGHTS, "size"),
        (lambda f: (f / "old.ckpt").write_bytes(b"\x80"), "old.ckpt", "pickle"),
        (lambda f: (f / "run.py").write_text("boom"), "run.py", "code"),
        (lambda f: (f / "out").symlink_to("/etc"), "out", "link"),
        (lambda f: os.mkfifo(f / "pipe"), "pipe", "link"),
    ],
)
def test_each_difference_is_found(
    folder: Path, damage: Callable[[Path], Any], path: str, kind: str
) -> None:
    manifest = Manifest.read(folder)
    damage(folder)
    problems = manifest.problems(folder)
    assert [(problem.path, problem.kind) for problem in problems] == [(path, kind)]
    with pytest.raises(WeightsError, match=path):
        verify(folder, manifest)


def test_a_file_replaced_by_a_link_to_equal_bytes_elsewhere_is_a_problem(
    folder: Path, tmp_path: Path
) -> None:
    (folder / WEIGHTS).rename(tmp_path / "elsewhere")
    (folder / WEIGHTS).symlink_to(tmp_path / "elsewhere")
    (problem,) = Manifest.read(folder).problems(folder)
    assert (problem.path, problem.kind) == (WEIGHTS, "link")


def test_a_quick_look_finds_all_but_changed_bytes(folder: Path) -> None:
    manifest = Manifest.read(folder)
    flip_last_byte(folder / WEIGHTS)
    assert manifest.problems(folder, digests=False) == ()
    header = bytearray((folder / WEIGHTS).read_bytes())
    header[:8] = (2**40).to_bytes(8, "little")
    (folder / WEIGHTS).write_bytes(header)
    (problem,) = manifest.problems(folder, digests=False)
    assert (problem.path, problem.kind) == (WEIGHTS, "header")


def test_an_error_lists_the_first_problems_and_counts_the_rest(folder: Path) -> None:
    manifest = Manifest.read(folder)
    for number in range(12):
        (folder / f"extra{number:02}.txt").touch()
    with pytest.raises(WeightsError, match=r"extra00\.txt") as caught:
        verify(folder, manifest)
    assert "and 2 more" in str(caught.value)
    assert "extra11" not in str(caught.value)


@pytest.mark.parametrize(
    "path",
    ["../up.json", "/etc/passwd", "a/../b.json", "a//b", "a\\b", "a\nb", "", "manifest.json", "."],
)
def test_paths_that_leave_the_folder_are_refused(folder: Path, path: str) -> None:
    refuse(folder, {"path": path, "size": 1, "sha256": "0" * 64})


@pytest.mark.parametrize(
    "file",
    [
        {"path": "model.bin", "size": 1, "sha256": "0" * 64},
        {"path": "model.PTH", "size": 1, "sha256": "0" * 64},
        {"path": "a.json", "size": -1, "sha256": "0" * 64},
        {"path": "a.json", "size": 1, "sha256": "xyz"},
        {"path": "a.json", "size": 1, "sha256": "0" * 64, "url": "http://x"},
    ],
)
def test_entries_that_are_not_acceptable_are_refused(folder: Path, file: dict[str, Any]) -> None:
    refuse(folder, file)


def refuse(folder: Path, file: dict[str, Any]) -> None:
    data = json.loads((folder / "manifest.json").read_text())
    data["files"].append(file)
    (folder / "manifest.json").write_text(json.dumps(data))
    with pytest.raises(WeightsError, match=r"manifest\.json: files\.4"):
        Manifest.read(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "manifest.json"),
        ('{"schema": 2}', "schema"),
        (" " * (16 * 2**20 + 1), "larger than 16 MiB"),
    ],
    ids=["broken", "list", "newer schema", "huge"],
)
def test_what_is_no_manifest_is_refused(folder: Path, text: str, words: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(WeightsError, match=words):
        Manifest.read(folder)


def test_a_path_listed_twice_is_refused(folder: Path) -> None:
    data = json.loads((folder / "manifest.json").read_text())
    data["files"].append(data["files"][0])
    (folder / "manifest.json").write_text(json.dumps(data))
    with pytest.raises(WeightsError, match="listed twice"):
        Manifest.read(folder)


def test_a_folder_without_a_manifest_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"python -m wan_pipelines\.weights build"):
        Manifest.read(tmp_path)
    with pytest.raises(WeightsError, match="no folder of weights"):
        Manifest.build(tmp_path / "nowhere", release="x", dtype="float32")


def test_unsafe_files_get_no_manifest(folder: Path) -> None:
    (folder / "model.pt").write_bytes(b"\x80")
    with pytest.raises(WeightsError, match=r"model\.pt is a pickle"):
        Manifest.build(folder, release="x", dtype="float32")


def test_large_files_are_hashed_in_pieces(tmp_path: Path) -> None:
    content = os.urandom(9 * 2**20 + 1)
    (tmp_path / "large").write_bytes(content)
    assert file_sha256(tmp_path / "large") == hashlib.sha256(content).hexdigest()
