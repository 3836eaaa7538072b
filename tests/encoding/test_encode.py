import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.encoding.clips import black, moving_square
from tests.support.disks import read_only, small_disk
from wan_pipelines.encoding.encode import encode, transcode
from wan_pipelines.encoding.probe import BT709, probe
from wan_pipelines.encoding.renditions import RENDITIONS, rendition_specs
from wan_pipelines.errors import EncodeError

FULL = rendition_specs(["h264"])
LADDER = rendition_specs(["h264", "h264-half"])


def decoded(path: Path) -> np.ndarray:
    """The frames of a video as RGB, converted by its own tags."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def digests(files: dict[str, Path]) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def test_every_rendition_is_what_its_spec_says(encoded: dict[str, Path]):
    assert list(encoded) == ["h264", "h264-half", "av1", "poster", "preview"]
    for name, spec in RENDITIONS.items():
        found = probe(encoded[name])
        assert (found.width, found.height) == ((48, 32) if name == "h264-half" else (96, 64))
        assert (found.codec, found.fps, found.frames) == (spec.codec, 8, 17)
        assert found.duration_seconds == 17 / 8
        assert (found.pix_fmt, found.colours, found.faststart) == ("yuv420p", BT709, True)


@pytest.mark.parametrize(("name", "loss"), [("h264", 3), ("av1", 6)])
def test_the_video_shows_the_frames_in_order(name: str, loss: int, encoded: dict[str, Path]):
    frames = moving_square().astype(float)
    shown = decoded(encoded[name]).astype(float)
    assert shown.shape == frames.shape
    errors = np.abs(shown[:, None] - frames[None]).mean(axis=(2, 3, 4))
    assert errors.argmin(axis=1).tolist() == list(range(17))
    assert np.diag(errors).max() < loss


def test_colours_are_converted_as_bt709_says(tmp_path: Path):
    """ITU-R BT.709-6, items 3.2 to 3.5: limited range, 8 bits."""
    colours = np.random.default_rng(7).integers(0, 256, (12, 3), dtype=np.uint8)
    colours[:4] = [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]]
    frames = np.broadcast_to(colours[:, None, None, :], (12, 32, 32, 3))
    path = encode(frames, 8, FULL, tmp_path)["h264"]

    red, green, blue = (colours / 255).T
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    cb, cr = (blue - luma) / 1.8556, (red - luma) / 1.5748
    expected = np.stack([16 + 219 * luma, 128 + 224 * cb, 128 + 224 * cr], axis=1)

    with av.open(str(path)) as container:
        planes = [
            [bytes(plane)[0] for plane in frame.planes] for frame in container.decode(video=0)
        ]
    assert np.abs(np.array(planes) - expected).max() < 2.5


@pytest.mark.parametrize("fps", [1, 16, 30, Fraction(25, 2), Fraction(24000, 1001)])
def test_every_frame_is_shown_at_its_exact_time(fps: int | Fraction, tmp_path: Path):
    path = encode(moving_square(frames=5), fps, FULL, tmp_path)["h264"]
    assert probe(path).fps == fps
    with av.open(str(path)) as container:
        times = [
            frame.pts * frame.time_base
            for frame in container.decode(video=0)
            if frame.pts is not None and frame.time_base is not None
        ]
    assert times == [index / Fraction(fps) for index in range(5)]


def test_equal_frames_give_equal_bytes(encoded: dict[str, Path], tmp_path: Path):
    again = encode(moving_square(), 8, tuple(RENDITIONS.values()), tmp_path / "elsewhere")
    assert digests(again) == digests(encoded)


def test_equal_frames_give_equal_bytes_with_several_threads(tmp_path: Path):
    frames = moving_square(frames=5, width=704, height=480)
    specs = rendition_specs(["h264", "av1"])
    first = encode(frames, 16, specs, tmp_path / "a")
    second = encode(frames, 16, specs, tmp_path / "b")
    assert digests(first) == digests(second)


def test_files_tell_nothing_of_the_machine(encoded: dict[str, Path]):
    for path in encoded.values():
        content = path.read_bytes()
        for leak in (b"Lavf", b"/tmp", b"drafts", path.parent.name.encode()):
            assert leak not in content


@pytest.mark.parametrize("frames", [black(), black(frames=1), moving_square(frames=1)])
def test_black_and_single_frames_are_videos_too(frames: np.ndarray, tmp_path: Path):
    files = encode(frames, 8, LADDER, tmp_path)
    assert {name: probe(path).frames for name, path in files.items()} == {
        "h264": len(frames),
        "h264-half": len(frames),
        "poster": 1,
        "preview": 1,
    }


def test_frames_need_not_lie_together_in_memory(encoded: dict[str, Path], tmp_path: Path):
    spread = np.asfortranarray(moving_square())
    assert digests(encode(spread, 8, FULL, tmp_path))["h264"] == digests(encoded)["h264"]


def test_without_renditions_there_are_still_pictures(tmp_path: Path):
    assert list(encode(moving_square(), 8, (), tmp_path)) == ["poster", "preview"]


@pytest.mark.parametrize(
    ("frames", "fps", "problem"),
    [
        (black(frames=0), 8, "no frames"),
        (black(width=95), 8, "95x64 pixels.*even"),
        (black(height=63), 8, "96x63 pixels.*even"),
        (black(width=0), 8, "0x64"),
        (black().astype(np.float32), 8, "float32"),
        (black()[..., :1], 8, r"\(9, 64, 96, 1\)"),
        (black()[0], 8, "uint8 of shape"),
        (black(), 0, "frame rate is 0"),
        (black(), Fraction(-1, 2), "frame rate is -1/2"),
    ],
)
def test_what_cannot_be_encoded_is_named(frames, fps, problem: str, tmp_path: Path):
    with pytest.raises(EncodeError, match=problem):
        encode(frames, fps, FULL, tmp_path)
    assert list(tmp_path.iterdir()) == []


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (33, 128, 128, 3), dtype=np.uint8)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path):
    with small_disk(tmp_path / "disk", kibibytes=128) as disk:
        with pytest.raises(EncodeError, match="No space left on device") as caught:
            encode(noise(), 8, LADDER, disk / "take")
        assert "Free space" in str(caught.value)
        assert list((disk / "take").iterdir()) == []


def test_a_disk_that_fills_up_with_pictures_is_told(tmp_path: Path):
    with small_disk(tmp_path / "disk", kibibytes=16) as disk:
        with pytest.raises(EncodeError, match="No space left on device"):
            encode(noise(), 8, (), disk / "take")
        assert list((disk / "take").iterdir()) == []


def test_a_read_only_folder_is_told(tmp_path: Path):
    with (
        small_disk(tmp_path / "disk", kibibytes=128) as disk,
        read_only(disk),
        pytest.raises(EncodeError, match="Read-only file system"),
    ):
        encode(black(), 8, FULL, disk / "take")


def failure(tmp_path: Path, **options: float) -> str:
    """What `encode` says about a clip that must fail; nothing may be left of it."""
    with pytest.raises(EncodeError) as caught:
        encode(noise(), 8, LADDER, tmp_path / "take", **options)
    assert list((tmp_path / "take").iterdir()) == []
    return str(caught.value)


def test_a_file_size_limit_is_told(fake_ffmpeg, tmp_path: Path):
    fake_ffmpeg('ulimit -f 8\nexec "$FFMPEG" "$@"')
    said = failure(tmp_path)
    assert "SIGXFSZ" in said or "File too large" in said


def test_an_ffmpeg_killed_in_the_middle_is_told(fake_ffmpeg, tmp_path: Path):
    fake_ffmpeg("head -c 100000 > /dev/null; kill -9 $$")
    assert "ffmpeg was killed by SIGKILL" in failure(tmp_path)


def test_a_hung_ffmpeg_is_stopped(fake_ffmpeg, tmp_path: Path):
    fake_ffmpeg("sleep 60")
    assert "stopped after its limit of 0.3 s" in failure(tmp_path, time_limit_seconds=0.3)


def test_an_ffmpeg_that_drops_frames_is_not_believed(fake_ffmpeg, tmp_path: Path):
    fake_ffmpeg(f'head -c {128 * 128 * 3 * 30} | "$FFMPEG" "$@"; cat > /dev/null')
    assert "frames is 30 instead of 33" in failure(tmp_path)


def test_an_ffmpeg_that_writes_nothing_is_not_believed(fake_ffmpeg, tmp_path: Path):
    fake_ffmpeg("cat > /dev/null")
    assert "h264.mp4 is no readable MP4 file" in failure(tmp_path)


def test_what_cannot_be_encoded_replaces_nothing(fake_ffmpeg, tmp_path: Path):
    files = encode(black(), 8, FULL, tmp_path)
    before = digests(files)
    fake_ffmpeg("exit 3")
    with pytest.raises(EncodeError, match="status 3"):
        encode(moving_square(), 8, FULL, tmp_path)
    assert digests(files) == before


@pytest.mark.parametrize(("source", "other"), [("h264", "av1"), ("av1", "h264")])
def test_missing_renditions_are_derived_from_a_full_size_one(
    source: str, other: str, encoded: dict[str, Path], tmp_path: Path
):
    files = transcode(encoded[source], rendition_specs([other, "h264-half"]), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{other}.mp4", "h264-half.mp4"}
    for name, path in files.items():
        assert probe(path) == probe(encoded[name])
        difference = np.abs(decoded(path).astype(float) - decoded(encoded[name]))
        assert difference.mean() < 5


@pytest.mark.parametrize("fps", [4, 16, 25])
def test_all_frames_of_a_source_are_shown_at_another_rate(
    fps: int, encoded: dict[str, Path], tmp_path: Path
):
    (spec,) = FULL
    files = transcode(encoded["h264"], [spec.at_rate(fps)], tmp_path, fps=fps)
    path = files[f"h264-{fps}fps"]
    found = probe(path)
    assert (found.fps, found.frames) == (fps, 17)
    assert np.abs(decoded(path).astype(float) - decoded(encoded["h264"])).mean() < 5


def test_a_source_that_is_no_mp4_is_refused(tmp_path: Path):
    playlist = tmp_path / "h264.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    with pytest.raises(EncodeError, match="no readable MP4"):
        transcode(playlist, LADDER, tmp_path / "take")
    assert not (tmp_path / "take").exists()
