"""Small clips to encode."""

import numpy as np


def moving_square(frames: int = 17, width: int = 96, height: int = 64) -> np.ndarray:
    """A red square crosses a blue picture with a soft gradient; no two frames are equal."""
    ramp = np.linspace(0, 60, width, dtype=np.uint8)[None, :, None]
    picture = np.array([24, 40, 110], np.uint8) + np.broadcast_to(ramp, (height, width, 3))
    clip = np.repeat(picture[None], frames, axis=0)
    side = height // 3
    for index in range(frames):
        left = index * (width - side) // max(1, frames - 1)
        clip[index, side : 2 * side, left : left + side] = (220, 40, 40)
    return clip


def black(frames: int = 9, width: int = 96, height: int = 64) -> np.ndarray:
    """Nothing to see."""
    return np.zeros((frames, height, width, 3), np.uint8)
