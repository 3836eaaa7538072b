"""Frames of a long video, in a file rather than in memory."""

from tempfile import TemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class Canvas:
    """`frames` fills up with segments: uint8 (frames, height, width, 3).

    The file has no name, and goes when the last array over it does. 321 frames of 1280x720 are
    0.9 GB; what is not looked at need not be in memory. TMPDIR says on which disk it is.
    """

    def __init__(self, frames: int, height: int, width: int) -> None:
        import numpy as np

        with TemporaryFile(prefix="wan-frames-") as file:
            self.frames: np.ndarray = np.memmap(
                file, dtype=np.uint8, mode="w+", shape=(frames, height, width, 3)
            )
        self.drawn = 0

    def add(self, frames: "np.ndarray") -> None:
        self.frames[self.drawn : self.drawn + len(frames)] = frames
        self.drawn += len(frames)
