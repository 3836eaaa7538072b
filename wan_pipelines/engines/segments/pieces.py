"""Where a long video is cut, and what is asked for each of its segments."""

import hashlib
from dataclasses import dataclass

SEED_BYTES = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment of `frames` frames, of which the first `overlap` were there before."""

    frames: int
    overlap: int

    @property
    def new(self) -> int:
        return self.frames - self.overlap


def cut(total: int, *, frames: int, overlap: int, least: int) -> tuple[Piece, ...]:
    """Segments that make `total` frames together, more than `frames`.

    The last one has what is left. Where that would be fewer than `least` frames it overlaps more.
    """
    pieces = [Piece(frames, 0)]
    left = total - frames
    while left > 0:
        new = min(left, frames - overlap)
        length = max(least, overlap + new)
        pieces.append(Piece(length, length - new))
        left -= new
    return tuple(pieces)


def derived_seed(seed: int, segment: int, attempt: int) -> int:
    """Seed of a segment, both counted from 0; the first segment has the video's own."""
    if segment == 0:
        return seed
    digest = hashlib.sha256(f"{seed}/{segment}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:SEED_BYTES])
