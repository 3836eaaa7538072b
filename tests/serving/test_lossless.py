"""Every pixel comes back."""

from pathlib import Path

import av
import numpy as np
import pytest

from wan_pipelines.errors import EncodeError
from wan_pipelines.serving.lossless import write_lossless


def test_every_pixel_comes_back(tmp_path: Path) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (5, 34, 50, 3), dtype=np.uint8)
    write_lossless(frames, 8, tmp_path / "film.mkv")
    with av.open(tmp_path / "film.mkv", format="matroska") as film:
        back = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert np.array_equal(np.stack(back), frames)


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    frames = np.zeros((2, 16, 16, 3), dtype=np.uint8)
    for name in ("one", "two"):
        write_lossless(frames, 8, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    frames = np.zeros((1, 16, 16, 3), dtype=np.uint8)
    with pytest.raises(EncodeError):
        write_lossless(frames, 8, tmp_path / "missing" / "film.mkv")
    assert list(tmp_path.iterdir()) == []
