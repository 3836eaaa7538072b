"""`python -m wan_pipelines.weights`, as a person uses it."""

from pathlib import Path

import pytest

from wan_pipelines.weights.__main__ import main
from wan_pipelines.weights.manifest import Manifest


def test_build_and_verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "manifest.json").unlink()
    assert main(["build", str(folder), "--dtype", "float32", "--revision", "v2"]) == 0
    assert "4 files" in capsys.readouterr().out
    assert Manifest.read(folder).release == "weights"
    assert main(["verify", str(folder)]) == 0
    (folder / "README.md").write_text("changed")
    assert main(["verify", str(folder)]) == 1
    assert "README.md has 7 bytes instead of 14" in capsys.readouterr().out


def test_an_error_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path)]) == 2
    assert "has no manifest.json" in capsys.readouterr().err
