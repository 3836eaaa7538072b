"""What must not be read as weights, whatever a manifest says."""

from pathlib import Path

import pytest

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.inspection import inspect_folder, walk


def test_a_sound_folder_passes(folder: Path) -> None:
    assert inspect_folder(folder) == ()


@pytest.mark.parametrize("name", ["a.bin", "a.PT", "a.ckpt", "a.pkl", "a.pth", "deep/a.pickle"])
def test_pickles_are_named(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\x80")
    (problem,) = inspect_folder(folder)
    assert (problem.path, problem.kind) == (name, "pickle")


def test_a_link_inside_the_folder_is_fine(folder: Path) -> None:
    (folder / "same.json").symlink_to("model_index.json")
    assert inspect_folder(folder) == ()


@pytest.mark.parametrize("target", ["/etc/hostname", "../elsewhere.json", "gone.json", "link.json"])
def test_a_link_to_elsewhere_or_nowhere_is_a_problem(
    folder: Path, tmp_path: Path, target: str
) -> None:
    (tmp_path / "elsewhere.json").write_text("{}")
    (folder / "link.json").symlink_to(target)
    (problem,) = inspect_folder(folder)
    assert (problem.path, problem.kind) == ("link.json", "link")


def test_a_linked_folder_is_seen_and_not_entered(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.json").write_text("{}")
    (folder / "linked").symlink_to(tmp_path / "other")
    assert "linked" in list(walk(folder))
    assert "linked/secret.json" not in list(walk(folder))


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, (10).to_bytes(8, "little") + b"not json!!"])
def test_a_file_that_is_no_safetensors_is_a_problem(folder: Path, content: bytes) -> None:
    (folder / "extra.safetensors").write_bytes(content)
    (problem,) = inspect_folder(folder)
    assert (problem.path, problem.kind) == ("extra.safetensors", "header")


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no folder of weights"):
        inspect_folder(tmp_path / "nowhere")
