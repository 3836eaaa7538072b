import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from wan_pipelines.encoding.ffmpeg import ffmpeg_binary
from wan_pipelines.encoding.probe import Expected, check, probe
from wan_pipelines.errors import EncodeError

EXPECTED = Expected("h264", 96, 64, Fraction(8), 17)


def ffmpeg(*arguments: str | Path) -> None:
    command = [str(ffmpeg_binary()), "-loglevel", "error", "-nostdin", *map(str, arguments)]
    subprocess.run(command, check=True)


def test_what_was_encoded_is_accepted(encoded: dict[str, Path]):
    check(probe(encoded["h264"]), EXPECTED, encoded["h264"])


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        (replace(EXPECTED, codec="av1"), "codec is h264 instead of av1"),
        (replace(EXPECTED, width=128), "width is 96 instead of 128"),
        (replace(EXPECTED, fps=Fraction(16)), "fps is 8 instead of 16"),
        (replace(EXPECTED, frames=18), "frames is 17 instead of 18"),
    ],
)
def test_every_difference_is_named(encoded: dict[str, Path], expected: Expected, problem: str):
    with pytest.raises(EncodeError, match=problem) as caught:
        check(probe(encoded["h264"]), expected, encoded["h264"])
    assert "h264.mp4" in str(caught.value)


def test_a_file_that_starts_with_its_frames_is_refused(encoded: dict[str, Path], tmp_path: Path):
    slow = tmp_path / "slow.mp4"
    ffmpeg("-i", encoded["h264"], "-c", "copy", slow)
    assert not probe(slow).faststart
    with pytest.raises(EncodeError, match="faststart"):
        check(probe(slow), EXPECTED, slow)


def test_untagged_colours_are_refused(tmp_path: Path):
    path = tmp_path / "plain.mp4"
    source = "testsrc=size=96x64:rate=8:duration=2.125"
    ffmpeg("-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-movflags", "+faststart", path)
    with pytest.raises(EncodeError, match=r"colours is .*unspecified"):
        check(probe(path), EXPECTED, path)


@pytest.mark.parametrize("name", ["h264", "av1", "poster", "preview"])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_cut_file_is_refused(encoded: dict[str, Path], name: str, kept: float, tmp_path: Path):
    whole = encoded[name]
    content = whole.read_bytes()
    cut = tmp_path / whole.name
    cut.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(EncodeError, match=cut.name):
        probe(cut)


@pytest.mark.parametrize("name", ["a.mp4", "a.webp"])
@pytest.mark.parametrize("content", [b"", b"x" * 1000, b"#EXTM3U\nfile:///etc/passwd\n"])
def test_something_else_is_refused(name: str, content: bytes, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EncodeError, match=f"{name} is no readable"):
        probe(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(EncodeError, match=r"gone\.mp4"):
        probe(tmp_path / "gone.mp4")


def test_another_codec_and_a_second_stream_are_refused(encoded: dict[str, Path], tmp_path: Path):
    other = tmp_path / "other.mp4"
    ffmpeg("-i", encoded["h264"], "-c:v", "mpeg4", other)
    with pytest.raises(EncodeError, match="mpeg4"):
        probe(other)
    double = tmp_path / "double.mp4"
    ffmpeg("-i", encoded["h264"], "-map", "0", "-map", "0", "-c", "copy", double)
    with pytest.raises(EncodeError, match="no single video stream"):
        probe(double)
