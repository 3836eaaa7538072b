"""A downloaded file as frames, if it is what was asked for."""

from pathlib import Path
from typing import TYPE_CHECKING

from wan_pipelines.engines.requests import RenderRequest

if TYPE_CHECKING:
    import numpy as np


class NotTheVideo(Exception):
    """The file is damaged, or shows something else; fetching it again may help."""


def read_frames(path: Path, request: RenderRequest, *, container: str) -> "np.ndarray":
    """uint8 (frames, height, width, 3), RGB, of a `matroska` or `mp4` file.

    Nothing is decoded that has another size than asked for, or beyond the last frame. Colours are
    converted by the file's tags, BT.601 where it has none.
    """
    import av
    import numpy as np
    from av.error import FFmpegError

    shape = (request.frames, request.height, request.width, 3)
    try:
        with av.open(str(path), format=container, options={"protocol_whitelist": "file"}) as film:
            if len(film.streams.video) != 1:
                raise NotTheVideo("it has not one video stream")
            stream = film.streams.video[0]
            if (stream.height, stream.width) != shape[1:3]:
                raise NotTheVideo(
                    f"it is {stream.width}x{stream.height}, not {request.width}x{request.height}"
                )
            frames = np.empty(shape, dtype=np.uint8)
            count = 0
            for frame in film.decode(stream):
                if count == request.frames:
                    raise NotTheVideo(f"it has more than {request.frames} frames")
                if frame.is_corrupt:
                    raise NotTheVideo(f"frame {count} is damaged")
                frames[count] = frame.to_ndarray(format="rgb24")
                count += 1
    except (FFmpegError, OSError, ValueError) as error:
        raise NotTheVideo(f"it does not decode: {error}") from error
    if count != request.frames:
        raise NotTheVideo(f"it has {count} frames, not {request.frames}")
    return frames
