"""Digests of what streams by, so that nothing has to be read twice."""

import hashlib
from collections.abc import Callable
from typing import BinaryIO

Passed = Callable[[int], None]
"""Hears how many bytes of a file have been read; what it raises ends the transfer."""


class HashingReader:
    """Reads on from `source` and takes the SHA-256 of what was read; cannot seek.

    `passed` hears how many bytes have been read so far, and may raise.
    """

    def __init__(self, source: BinaryIO, passed: Passed | None = None) -> None:
        self._source = source
        self._passed = passed
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """As `BinaryIO.read`."""
        data = self._source.read(size)
        self._digest.update(data)
        self.size_bytes += len(data)
        if self._passed:
            self._passed(self.size_bytes)
        return data

    @property
    def sha256(self) -> str:
        """Of everything that was read so far."""
        return self._digest.hexdigest()


class HashingWriter:
    """Writes on to `sink` and takes the SHA-256 of what was written; cannot seek."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        """As `BinaryIO.write`."""
        self._digest.update(data)
        self.size_bytes += len(data)
        return self._sink.write(data)

    @property
    def sha256(self) -> str:
        """Of everything that was written so far."""
        return self._digest.hexdigest()
