"""Runs that meet at the turnstile, at a time that tests set."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.ledger.scenes import DEMO, START
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.turn_records import Answer, Asker, Rules, Turn
from wan_pipelines.ledger.turns import end_turns, line_up, take_turns
from wan_pipelines.scheduling.policy import FairShare
from wan_pipelines.scheduling.records import Slots, Standing

ELSEWHERE = "another-host:1:1"


@dataclass
class Turnstile:
    """A ledger with two tenants, and slots that tests change."""

    ledger: Ledger
    slots: dict[str, Slots] = field(default_factory=lambda: {"h100": Slots(2)})
    standings: Mapping[str, Standing] = field(default_factory=dict)
    now: datetime = START

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    @property
    def rules(self) -> Rules:
        return Rules(FairShare(), self.slots, self.standings)

    def line_up(self, run: str, *shards: str, edition: EditionKey = DEMO, **how: object) -> None:
        like = Turn("", 600.0, ("h100",))
        turns = [replace(like, shard=shard, **how) for shard in shards]
        line_up(self.ledger, edition, run, turns, now=self.now)

    def ask(self, run: str, *shards: str, process: str = ELSEWHERE, of: str = "") -> Answer:
        asker = Asker((run, of) if of else (run,), process)
        return take_turns(self.ledger, asker, shards, self.rules, now=self.now)

    def end(self, run: str, *shards: str) -> None:
        end_turns(self.ledger, run, self.rules, now=self.now, shards=shards or None)
