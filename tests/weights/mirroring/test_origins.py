"""What a folder that is mirrored holds, and what of it is refused by its name."""

import os
from pathlib import Path

import pytest

from tests.weights.mirroring.conftest import COMMIT
from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.manifest import Manifest
from wan_pipelines.weights.mirroring.hub import parse_address
from wan_pipelines.weights.mirroring.origins import open_folder, revision_of


def test_a_snapshot_says_its_commit_and_the_digests_of_its_blobs(snapshot: Path) -> None:
    origin = open_folder(snapshot)
    assert origin.revision == COMMIT
    assert len(origin.files) == len(origin.digests) == 7
    assert all(path.name == origin.digests[name] for name, path in origin.files.items())


def test_only_files_that_match_are_taken(snapshot: Path) -> None:
    origin = open_folder(snapshot, ("*.json", "vae/*"))
    assert "vae/model.safetensors" in origin.files
    assert "transformer/config.json" in origin.files
    assert "README.md" not in origin.files
    with pytest.raises(WeightsError, match="holds none of the files"):
        open_folder(snapshot, ("*.gguf",))


@pytest.mark.parametrize("name", ["model.bin", "vae/a.PT", "x.ckpt", "run.py", "a/b.pkl", "x.so"])
def test_pickles_and_code_are_refused_by_name(snapshot: Path, name: str) -> None:
    """A pipe in place of each: whoever opened one would wait for ever."""
    (snapshot / name).parent.mkdir(exist_ok=True)
    os.mkfifo(snapshot / name)
    with pytest.raises(WeightsError, match=f"{name} can run code"):
        open_folder(snapshot)
    assert open_folder(snapshot, ("*.json", "*.safetensors")).files


@pytest.mark.parametrize("target", ["/etc/hostname", "../../../../elsewhere", "gone", "link.json"])
def test_links_that_leave_the_snapshot_are_refused(snapshot: Path, target: str) -> None:
    (snapshot.parents[3] / "elsewhere").write_text("?")
    (snapshot / "link.json").symlink_to(target)
    with pytest.raises(WeightsError, match="out of the snapshot, or to nothing"):
        open_folder(snapshot)


@pytest.mark.parametrize(
    "name", ["a\\b.json", "tab\t.json", "zero\u200bwidth.json", "x" * 250 + ".json"]
)
def test_names_that_no_store_takes_are_refused(snapshot: Path, name: str) -> None:
    (snapshot / "deep" / ("y" * 255)).mkdir(parents=True)
    (snapshot / "deep" / ("y" * 255) / name).write_text("{}")
    with pytest.raises(WeightsError, match="is no name for a file of weights"):
        open_folder(snapshot)


def test_an_ordinary_folder_has_no_blobs_to_link_to(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "x").write_text("?")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.json").symlink_to(tmp_path / "blobs" / "x")
    with pytest.raises(WeightsError, match="out of the snapshot"):
        open_folder(tmp_path / "folder", revision="v1")


def test_a_revision_is_known_or_named(snapshot: Path, tmp_path: Path) -> None:
    assert revision_of(snapshot) == COMMIT
    with pytest.raises(WeightsError, match="is revision 0123"):
        revision_of(snapshot, "f" * 40)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(WeightsError, match="--revision"):
        revision_of(folder)
    assert revision_of(folder, "v2") == "v2"
    (folder / "a.json").write_text("{}")
    Manifest.build(folder, release="sample", dtype="float32", revision="v3").write(folder)
    assert revision_of(folder) == "v3"


@pytest.mark.parametrize(
    "text", ["hub:a/b@main", "hub:a/b", f"hub:a@{COMMIT}", f"hub:a/b/c@{COMMIT}", "hub:a/b@0123"]
)
def test_what_moves_is_no_address(text: str) -> None:
    with pytest.raises(WeightsError, match="pins nothing"):
        parse_address(text)


def test_a_commit_is_an_address() -> None:
    assert parse_address(f"hub:Some.body/a-b_c@{COMMIT}") == ("Some.body/a-b_c", COMMIT)
