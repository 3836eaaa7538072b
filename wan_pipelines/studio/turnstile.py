"""A run at the turnstile: it asks for its shards, keeps what it has, and gives it back.

While the ledger is away nobody's turn comes, and nothing else of the run is disturbed.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from threading import Event, Lock, Thread
from time import monotonic
from typing import Self

from wan_pipelines.errors import LedgerError, WanError
from wan_pipelines.ledger.turn_records import Asker, Rules
from wan_pipelines.ledger.turns import end_turns, must_move, renew_turns, take_turns
from wan_pipelines.processes import process_name
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.turns import rules_of

LOOK_SECONDS = 1.0
RENEW_SECONDS = 5.0

log = logging.getLogger(__name__)


class Turnstile:
    """The shards of one run. Used by two threads: the run's, and the one that renews."""

    def __init__(self, open_studio: Callable[[], Studio], runs: Sequence[str]) -> None:
        """`runs`: the run, and those that it repeats. The studio is opened when a shard asks, or by
        the first renewal: a run that was resumed holds turns that it need not ask for.
        """
        self._open_studio = open_studio
        self._asker = Asker(tuple(runs), process_name())
        self._began: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._waiting: set[str] = set()
        self._to_end: set[str] = set()
        self._next_look = 0.0
        self._guard = Lock()
        self.in_line = 0

    @classmethod
    @contextmanager
    def opened(cls, open_studio: Callable[[], Studio], runs: Sequence[str]) -> Iterator[Self]:
        """A turnstile that is renewed until the block ends; what waits then, leaves the line."""
        turnstile = cls(open_studio, runs)
        stop = Event()
        keeper = Thread(target=turnstile._keep, args=(stop,), name="turnstile", daemon=True)
        keeper.start()
        try:
            yield turnstile
        finally:
            stop.set()
            keeper.join()
            if turnstile._waiting or turnstile._to_end:
                turnstile.leave(waiting_only=True)

    @property
    def began(self) -> Mapping[str, str]:
        """The GPU classes of the shards that had their turn."""
        return self._began

    def may_begin(self, shard: str) -> bool:
        """Is it the shard's turn? Asks the ledger once in a while; the line is asked as a whole."""
        if shard in self._began or shard in self._unknown:
            return True
        is_first = not self._waiting
        self._waiting.add(shard)
        if is_first or monotonic() >= self._next_look:
            self._look()
        return shard not in self._waiting

    def end(self, shard: str) -> None:
        """The shard has ended, or is to begin again: its slot is free, whichever process of the run
        it began for.
        """
        self._began.pop(shard, None)
        self._waiting.discard(shard)
        self._to_end.add(shard)
        self._do(self._flush)

    def must_move(self, shard: str) -> bool:
        """Is it on spot capacity, without a node, too late to wait for one?"""
        found: list[bool] = []

        def asked() -> None:
            ledger, run = self._studio.ledger, self._asker.runs[0]
            found.append(must_move(ledger, run, shard, self._rules, now=datetime.now(UTC)))

        self._do(asked)
        return any(found)

    def leave(self, *, waiting_only: bool = False) -> None:
        """Give back what the run holds, or only its places in line."""

        def ended() -> None:
            self._flush()
            end_turns(
                self._studio.ledger,
                self._asker.runs[0],
                self._rules,
                now=datetime.now(UTC),
                waiting_only=waiting_only,
            )

        self._do(ended)
        self._waiting.clear()

    @cached_property
    def _studio(self) -> Studio:
        return self._open_studio()

    @cached_property
    def _rules(self) -> Rules:
        return rules_of(self._studio.settings)

    def _look(self) -> None:
        def asked() -> None:
            # A shard that begins again has its old turn until that is told to have ended.
            self._flush()
            answer = take_turns(
                self._studio.ledger,
                self._asker,
                sorted(self._waiting),
                self._rules,
                now=datetime.now(UTC),
            )
            self._began |= answer.began
            self._unknown |= answer.unknown
            self._waiting = set(answer.waiting)
            self.in_line = answer.in_line

        self._do(asked)
        self._next_look = monotonic() + LOOK_SECONDS

    def _flush(self) -> None:
        """Tell the ledger of shards that have ended and that it does not know of yet."""
        if self._to_end:
            ending = set(self._to_end)
            end_turns(
                self._studio.ledger,
                self._asker.runs[0],
                self._rules,
                now=datetime.now(UTC),
                shards=ending,
            )
            self._to_end -= ending

    def _keep(self, stop: Event) -> None:
        def renewed() -> None:
            self._flush()
            renew_turns(self._studio.ledger, self._asker, now=datetime.now(UTC))

        while not stop.wait(RENEW_SECONDS):
            try:
                self._do(renewed)
            except WanError as error:  # to be told to whoever asks; what is held stays held
                log.warning("Turns cannot be renewed: %s", error)

    def _do(self, work: Callable[[], None]) -> None:
        """One thread at a time; a ledger that is away is asked again later."""
        with self._guard:
            try:
                work()
            except LedgerError as error:
                log.warning("Turns wait for the ledger: %s", error)
