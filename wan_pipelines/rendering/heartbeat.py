"""A thread that keeps the worker's leases alive, and notices what has become of them."""

import logging
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

from wan_pipelines.errors import LeaseLost, LedgerError, QuotaExceeded
from wan_pipelines.rendering.ports import Lease, TakeBook

log = logging.getLogger(__name__)


class Heartbeat:
    """Renews every lease it holds each `seconds`, while its `with` block runs.

    A book that cannot be written for a while costs nothing but a warning here: whether a lease
    still stands is decided when the take is accepted.
    """

    def __init__(self, book: TakeBook[Any], seconds: float) -> None:
        self._book = book
        self._seconds = seconds
        self._held: dict[str, Lease] = {}
        self._lost: set[str] = set()
        self._recalled: dict[str, str] = {}
        self._lock = Lock()
        self._over = Event()
        self._thread = Thread(target=self._beat_until_over, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def hold(self, lease: Lease) -> None:
        with self._lock:
            self._held[lease.take_id] = lease

    def drop(self, lease: Lease) -> None:
        with self._lock:
            self._held.pop(lease.take_id, None)

    def has_lost(self, lease: Lease) -> bool:
        return lease.take_id in self._lost

    def recalled(self, lease: Lease) -> str:
        """Why its shot is to be given back though it is still ours; empty if it is not."""
        return self._recalled.get(lease.take_id, "")

    def _beat_until_over(self) -> None:
        while not self._over.wait(self._seconds):
            self._beat()

    def _beat(self) -> None:
        with self._lock:
            held = tuple(self._held.values())
        try:
            self._book.beat()
            for lease in held:
                self._renew(lease)
        except LedgerError as error:
            log.warning("No sign of life could be recorded: %s", error)

    def _renew(self, lease: Lease) -> None:
        try:
            self._book.renew(lease)
        except LeaseLost:
            with self._lock:
                # Accepted or given back meanwhile: then nothing is lost.
                if self._held.pop(lease.take_id, None):
                    self._lost.add(lease.take_id)
        except QuotaExceeded as error:
            self._recalled[lease.take_id] = str(error)
