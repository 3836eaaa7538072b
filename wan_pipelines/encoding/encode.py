"""From frames to checked files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from wan_pipelines.encoding.ffmpeg import run_ffmpeg
from wan_pipelines.encoding.graph import encode_argv, transcode_argv
from wan_pipelines.encoding.posters import write_poster, write_preview
from wan_pipelines.encoding.probe import Expected, check, probe
from wan_pipelines.encoding.renditions import POSTER, PREVIEW, RenditionSpec
from wan_pipelines.errors import EncodeError

LIMIT_SECONDS: Final = 60.0
LIMIT_SECONDS_PER_MEGAPIXEL: Final = 2.0
"""What one rendition may take for a million pixels; SVT-AV1 preset 8 needs 0.05 here."""


def encode(
    frames: np.ndarray,
    fps: int | Fraction,
    specs: Sequence[RenditionSpec],
    folder: Path,
    *,
    time_limit_seconds: float | None = None,
) -> dict[str, Path]:
    """Encode `frames` (uint8, T x H x W x RGB, even sides) to one file per spec in `folder`.

    Returns the files by rendition name, with "poster" and "preview". One ffmpeg process makes
    all videos; each was probed and is what was asked for. Equal frames give equal bytes. Raises
    EncodeError, and leaves nothing in `folder`, if anything goes wrong.
    """
    rate = Fraction(fps)
    width, height = _size(frames, rate)
    limit = time_limit_seconds or usual_limit_seconds(frames.shape[0], width, height, len(specs))
    with _all_or_none(folder) as drafts:
        videos = _paths(drafts, specs)
        if videos:
            argv = encode_argv((width, height), rate, videos)
            chunks = (np.ascontiguousarray(frame).data for frame in frames)
            run_ffmpeg(argv, time_limit_seconds=limit, chunks=chunks)
            _check_all(videos, (width, height), rate, len(frames))
        poster, preview = (drafts / f"{name}.webp" for name in (POSTER, PREVIEW))
        write_poster(frames, poster)
        write_preview(frames, rate, preview)
    return {path.stem: folder / path.name for path in (*videos, poster, preview)}


def transcode(
    source: Path,
    specs: Sequence[RenditionSpec],
    folder: Path,
    *,
    fps: int | None = None,
    time_limit_seconds: float | None = None,
) -> dict[str, Path]:
    """Derive renditions from our own full-size MP4 file, by one ffmpeg process.

    For renditions that are asked for after the frames are gone; they inherit the losses of
    `source`. With `fps`, all its frames are shown at that rate instead of its own. Returns the
    files by rendition name; otherwise like `encode`.
    """
    found = probe(source)
    rate = found.fps if fps is None else Fraction(fps)
    size = (found.width, found.height)
    limit = time_limit_seconds or usual_limit_seconds(found.frames, *size, len(specs))
    with _all_or_none(folder) as drafts:
        paths = _paths(drafts, specs)
        run_ffmpeg(transcode_argv(source, size, rate, paths), time_limit_seconds=limit)
        _check_all(paths, size, rate, found.frames)
    return {spec.name: folder / path.name for path, spec in paths.items()}


def _size(frames: np.ndarray, fps: Fraction) -> tuple[int, int]:
    """Width and height of frames that can be encoded."""
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3:
        raise EncodeError(
            f"The frames are {frames.dtype} of shape {frames.shape}; "
            "uint8 of shape (frames, height, width, 3) is needed."
        )
    count, height, width, _ = frames.shape
    if not count:
        raise EncodeError("There are no frames to encode. Render the shot again.")
    if fps <= 0:
        raise EncodeError(f"The frame rate is {fps}; choose a positive one.")
    if width % 2 or height % 2 or not width or not height:
        raise EncodeError(
            f"Frames of {width}x{height} pixels cannot be encoded as 4:2:0 video. "
            "Choose an even width and height."
        )
    return width, height


def usual_limit_seconds(frames: int, width: int, height: int, renditions: int) -> float:
    """How long ffmpeg may take for all renditions of a clip."""
    megapixels = frames * width * height * renditions / 1e6
    return LIMIT_SECONDS + LIMIT_SECONDS_PER_MEGAPIXEL * megapixels


def _paths(folder: Path, specs: Sequence[RenditionSpec]) -> dict[Path, RenditionSpec]:
    return {folder / f"{spec.name}.mp4": spec for spec in specs}


def _check_all(
    paths: dict[Path, RenditionSpec], size: tuple[int, int], fps: Fraction, frames: int
) -> None:
    for path, spec in paths.items():
        check(probe(path), Expected(spec.codec, *spec.size_of(*size), fps, frames), path)


@contextmanager
def _all_or_none(folder: Path) -> Iterator[Path]:
    """A folder for drafts, which move to `folder` together when the block succeeds."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".drafts-") as drafts:
            yield Path(drafts)
            for draft in sorted(Path(drafts).iterdir()):
                draft.replace(folder / draft.name)
    except OSError as error:
        raise EncodeError(
            f"Encoding to {folder} failed: {error}. Free space there, or make it writable."
        ) from error
