"""What stands for weights that a server keeps: a description, whole and the same everywhere."""

import json
from pathlib import Path

from wan_pipelines.weights.manifest import verify
from wan_pipelines.weights.served import DESCRIPTION_NAME, ServedSource

PIN = {"kind": "wan", "model": "sample", "version": "1"}


def test_the_description_is_a_folder_like_any_other(tmp_path: Path) -> None:
    source = ServedSource("sample", PIN, "float32")
    folder = source.ensure(tmp_path / "cache")
    verify(folder.path, folder.manifest)
    assert json.loads((folder.path / DESCRIPTION_NAME).read_text()) == PIN
    assert source.ensure(tmp_path / "cache") == folder
    assert source.present(tmp_path / "cache") is None


def test_another_pin_is_another_revision(tmp_path: Path) -> None:
    one, two = (
        ServedSource("sample", {**PIN, "version": version}, "float32").ensure(tmp_path)
        for version in ("1", "2")
    )
    assert one.manifest.revision != two.manifest.revision
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
