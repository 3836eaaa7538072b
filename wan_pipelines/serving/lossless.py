"""Frames as a file that gives every pixel back: FFV1 in Matroska, RGB, with checksums."""

from pathlib import Path
from typing import TYPE_CHECKING

from wan_pipelines.encoding.encode import usual_limit_seconds
from wan_pipelines.encoding.ffmpeg import GLOBAL_OPTIONS, ffmpeg_binary, run_ffmpeg

if TYPE_CHECKING:
    import numpy as np


def write_lossless(frames: "np.ndarray", fps: int, path: Path) -> None:
    """Write uint8 frames (T x H x W x RGB); EncodeError, and no file, if that fails."""
    import numpy as np

    count, height, width, _ = frames.shape
    draft = path.with_name(f".{path.name}.part")
    argv = [
        str(ffmpeg_binary()),
        *GLOBAL_OPTIONS,
        *("-f", "rawvideo", "-pixel_format", "rgb24"),
        *("-video_size", f"{width}x{height}", "-framerate", str(fps), "-i", "pipe:0"),
        *("-c:v", "ffv1", "-level", "3", "-slices", "4", "-slicecrc", "1", "-g", "1"),
        *("-pix_fmt", "gbrp", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
        *("-f", "matroska", str(draft.absolute())),
    ]
    limit = usual_limit_seconds(count, width, height, renditions=1)
    try:
        chunks = (np.ascontiguousarray(frame).data for frame in frames)
        run_ffmpeg(argv, time_limit_seconds=limit, chunks=chunks)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
