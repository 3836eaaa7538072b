"""Room for footage that is yet to be encoded: so many takes, and so many bytes."""

from threading import Condition


class Room:
    """Shared by the thread that fills it and the one that empties it.

    Footage that is larger than the room on its own is let in when nothing else is there.
    """

    def __init__(self, most_takes: int, most_bytes: int | None) -> None:
        self._most_takes = most_takes
        self._most_bytes = most_bytes
        self._takes = 0
        self._bytes = 0
        self._changed = Condition()

    def has_room_for(self, size_bytes: int) -> bool:
        """Would `enter` return at once?"""
        with self._changed:
            return self._fits(size_bytes)

    def enter(self, size_bytes: int) -> None:
        """Blocks until there is room."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(size_bytes))
            self._takes += 1
            self._bytes += size_bytes

    def leave(self, size_bytes: int) -> None:
        """Makes room again."""
        with self._changed:
            self._takes -= 1
            self._bytes -= size_bytes
            self._changed.notify_all()

    def _fits(self, size_bytes: int) -> bool:
        if self._takes == 0:
            return True
        within = self._most_bytes is None or self._bytes + size_bytes <= self._most_bytes
        return within and self._takes < self._most_takes
