"""Reads an object as a stream that survives broken connections, and never ends too soon."""

from collections.abc import Callable, Iterator
from functools import partial
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES: Final = 1 << 20
STREAMED_BYTES: Final = 2 << 20

Ask = Callable[[dict[str, str]], Any]
"""One GET with these conditions; the answer."""
Guard = Callable[[Callable[[], bytes]], bytes]
"""Repeats what may pass, and raises StorageError for what stays."""


class S3Reader(RawIOBase):
    """One version of an object, of which as much is fetched as is read.

    A connection that breaks is opened anew where it broke. If the object has been replaced by
    then, that is a StorageError: two versions are never mixed.
    """

    def __init__(self, answer: Any, ask: Ask, guard: Guard) -> None:
        self.size_bytes: int = answer["ContentLength"]
        self._etag: str = answer["ETag"]
        self._body: Any = answer["Body"]
        self._ask = ask
        self._guard = guard
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        start = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self.size_bytes}[whence]
        position = max(0, start + offset)
        if position != self._position:
            self._hang_up()
        self._position = position
        return position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        wanted = min(len(view), self.size_bytes - self._position)
        if wanted <= 0:
            return 0
        data = self._guard(lambda: self._piece(wanted))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def pieces(self) -> Iterator[bytes]:
        """What follows, in pieces as they come from the connection: readers that need a buffer of
        their own copy each.
        """
        while (left := self.size_bytes - self._position) > 0:
            data = self._guard(partial(self._piece, min(left, STREAMED_BYTES)))
            self._position += len(data)
            yield data

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self.read(PIECE_BYTES), b""))

    def close(self) -> None:
        self._hang_up()
        super().close()

    def _piece(self, wanted: int) -> bytes:
        from botocore.exceptions import IncompleteReadError

        if self._body is None:
            conditions = {"Range": f"bytes={self._position}-", "IfMatch": self._etag}
            self._body = self._ask(conditions)["Body"]
        try:
            data: bytes = self._body.read(wanted)
        except Exception:
            self._hang_up()
            raise
        if not data:
            self._hang_up()
            raise IncompleteReadError(actual_bytes=self._position, expected_bytes=self.size_bytes)
        return data

    def _hang_up(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
