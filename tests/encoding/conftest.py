from collections.abc import Callable
from pathlib import Path

import pytest

from tests.encoding.clips import moving_square
from wan_pipelines.encoding import graph
from wan_pipelines.encoding.encode import encode
from wan_pipelines.encoding.ffmpeg import ffmpeg_binary
from wan_pipelines.encoding.renditions import RENDITIONS

FakeFfmpeg = Callable[[str], None]


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All files of one take: 17 frames of 96x64 at 8 frames a second. Not to be changed."""
    folder = tmp_path_factory.mktemp("encoded")
    return encode(moving_square(), 8, tuple(RENDITIONS.values()), folder)


@pytest.fixture
def fake_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeFfmpeg:
    """Replaces ffmpeg by a shell script, in which $FFMPEG is the real one."""

    def install(script: str) -> None:
        path = tmp_path / "fake-ffmpeg"
        path.write_text(f"#!/bin/sh\nFFMPEG='{ffmpeg_binary()}'\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(graph, "ffmpeg_binary", lambda: path)

    return install
