"""A run at the turnstile: it asks for its shards, keeps what it has, and gives it back.

While the ledger is slow or away nobody's turn comes, and nothing else of the run is disturbed.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Self, TypeVar

from wan_pipelines.errors import LedgerError, WanError
from wan_pipelines.ledger.turn_records import Answer, Asker, Rules
from wan_pipelines.ledger.turns import end_turns, must_move, renew_turns, take_turns
from wan_pipelines.processes import process_name
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.turns import rules_of

LOOK = "look"
LOOK_SECONDS = 1.0
RENEW_SECONDS = 5.0
MOMENT_SECONDS = 5.0
"""How long a run waits for an answer before it goes on, and looks for it later."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class Turnstile:
    """The shards of one run, whose thread only says what it wants.

    `teller` tells the ledger one after the other, as a shard must have ended that begins again.
    What is held is renewed by a thread of its own, whatever the teller waits for.
    """

    def __init__(
        self,
        open_studio: Callable[[], Studio],
        runs: Sequence[str],
        teller: ThreadPoolExecutor,
    ) -> None:
        """`runs`: the run, and those that it repeats. The studio is opened when a shard asks, or by
        the first renewal: a run that was resumed holds turns that it need not ask for.
        """
        self._open_studio = open_studio
        self._asker = Asker(tuple(runs), process_name())
        self._teller = teller
        self._asked: dict[str, Future[Any]] = {}
        self._began: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._waiting: set[str] = set()
        self._next_look = 0.0
        self._guard = Lock()
        self._to_end: set[str] = set()
        self._ending: Future[None] | None = None
        self.in_line = 0

    @classmethod
    @contextmanager
    def opened(cls, open_studio: Callable[[], Studio], runs: Sequence[str]) -> Iterator[Self]:
        """A turnstile that is renewed until the block ends; what waits then, leaves the line."""
        with ThreadPoolExecutor(1, "turnstile") as teller:
            turnstile = cls(open_studio, runs, teller)
            stop = Event()
            keeper = Thread(target=turnstile._keep, args=(stop,), name="turns", daemon=True)
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
        if is_first or LOOK in self._asked or monotonic() >= self._next_look:
            self._look()
        return shard not in self._waiting

    def end(self, shard: str) -> None:
        """The shard has ended, or is to begin again: its slot is free, whichever process of the run
        it began for.
        """
        self._began.pop(shard, None)
        self._waiting.discard(shard)
        if LOOK in self._asked:  # it may begin what has ended here
            self._asked.pop(LOOK).cancel()
        with self._guard:
            self._to_end.add(shard)
        self._give_back()

    def must_move(self, shard: str) -> bool:
        """Is it on spot capacity, without a node, too late to wait for one?"""

        def asked() -> bool:
            ledger, run = self._studio.ledger, self._asker.runs[0]
            return must_move(ledger, run, shard, self._rules, now=datetime.now(UTC))

        return bool(self._answer(f"must_move {shard}", asked))

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

        for unanswered in self._asked.values():
            unanswered.cancel()
        self._asked.clear()
        self._teller.submit(_if_there, ended).result()
        self._waiting.clear()

    @cached_property
    def _studio(self) -> Studio:
        return self._open_studio()

    @cached_property
    def _rules(self) -> Rules:
        return rules_of(self._studio.settings)

    def _look(self) -> None:
        wanted = sorted(self._waiting)

        def asked() -> Answer:
            # A shard that begins again has its old turn until that is told to have ended.
            self._flush()
            ledger, now = self._studio.ledger, datetime.now(UTC)
            return take_turns(ledger, self._asker, wanted, self._rules, now=now)

        answer = self._answer(LOOK, asked)
        if answer:
            self._began |= answer.began
            self._unknown |= answer.unknown
            self._waiting -= answer.began.keys() | answer.unknown
            self.in_line = answer.in_line
        self._next_look = monotonic() + LOOK_SECONDS

    def _answer(self, about: str, work: Callable[[], T]) -> T | None:
        """What comes of it; None while nothing does, and it is not asked for twice at a time."""
        asked = self._asked.pop(about, None)
        patience_seconds = 0.0 if asked else MOMENT_SECONDS
        asked = asked or self._teller.submit(_if_there, work)
        wait([asked], patience_seconds)
        if asked.done():
            return asked.result()
        self._asked[about] = asked
        return None

    def _give_back(self) -> None:
        """Have the ledger told of shards that have ended, unless it is about to be."""
        with self._guard:
            is_queued = self._ending and not (self._ending.running() or self._ending.done())
            if self._to_end and not is_queued:
                self._ending = self._teller.submit(_if_there, self._flush)

    def _flush(self) -> None:
        """Tell the ledger of shards that have ended and that it does not know of yet."""
        with self._guard:
            ending = set(self._to_end)
        if ending:
            ledger, run, now = self._studio.ledger, self._asker.runs[0], datetime.now(UTC)
            end_turns(ledger, run, self._rules, now=now, shards=ending)
            with self._guard:
                self._to_end -= ending

    def _keep(self, stop: Event) -> None:
        while not stop.wait(RENEW_SECONDS):
            self._give_back()
            try:
                renew_turns(self._studio.ledger, self._asker, now=datetime.now(UTC))
            except WanError as error:  # to be told to whoever asks; what is held stays held
                log.warning("Turns cannot be renewed: %s", error)


def _if_there(work: Callable[[], T]) -> T | None:
    """None from a ledger that is away: it is asked again later."""
    try:
        return work()
    except LedgerError as error:
        log.warning("Turns wait for the ledger: %s", error)
    return None
