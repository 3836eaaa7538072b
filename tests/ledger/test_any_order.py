"""Whatever happens to a ledger, in whatever order, its rules hold."""

import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.ledger import books
from tests.ledger.scenes import ERROR, PRICE, REPORT, Hand, Scene, files, shot
from wan_pipelines.errors import LeaseLost, NotAdmitted, QuotaExceeded
from wan_pipelines.ledger.audits import discrepancies
from wan_pipelines.ledger.corrections import Rerating, Selection, rerate
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import all_editions
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.leases import Lease, release_lease, renew_lease
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.takes import accept_take, fail_take, forget_outputs
from wan_pipelines.ledger.workers import close_lost_workers

PROMPTS = [f"prompt {number}" for number in range(5)]
EDITIONS = [EditionKey("bolt", "bob", "spring", name) for name in ("one", "two")]
LIMIT = 5

template = TemporaryDirectory()
Ledger.open(Path(template.name) / "ledger.db").close()


class AnyOrder(RuleBasedStateMachine):
    """Two editions of a free user, some workers, days that pass."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        file = Path(self.folder.name) / "ledger.db"
        shutil.copy(Path(template.name) / "ledger.db", file)
        self.scene = Scene(Ledger.open(file))
        self.hands: list[Hand] = []
        self.leases: list[tuple[Hand, Lease]] = []
        self.finished: set[str] = set()

    @rule(
        edition=st.sampled_from(EDITIONS),
        prompts=st.lists(st.sampled_from(PROMPTS), min_size=1, max_size=5),
        only=st.booleans(),
    )
    def admit(self, edition: EditionKey, prompts: list[str], only: bool) -> None:
        wanted = [shot(f"shot-{place}", prompt) for place, prompt in enumerate(prompts)]
        names = ["shot-0"] if only else None
        first = self.scene.admit(wanted, edition, only=names)
        before = books.used(self.scene.ledger)
        assert self.scene.admit(wanted, edition, only=names) == first
        assert books.used(self.scene.ledger) == before

    @rule(edition=st.sampled_from(EDITIONS), prompt=st.sampled_from(PROMPTS))
    def lease(self, edition: EditionKey, prompt: str) -> None:
        hand = self.hand(edition)
        if hand is None:
            return
        with suppress(NotAdmitted, QuotaExceeded):
            answer = hand.ask(shot("any", prompt))
            if isinstance(answer, Lease):
                self.leases.append((hand, answer))

    def hand(self, edition: EditionKey) -> Hand | None:
        for hand in self.hands:
            if hand.edition == edition:
                return hand
        if edition not in all_editions(self.scene.ledger, "bolt"):
            return None
        self.hands.append(self.scene.worker(edition))
        return self.hands[-1]

    @precondition(lambda self: self.leases)
    @rule(
        data=st.data(),
        ending=st.sampled_from(["accept", "accept", "fail", "release", "renew", "twice"]),
        milliseconds=st.integers(1, 100_000),
    )
    def end(self, data: st.DataObject, ending: str, milliseconds: int) -> None:
        hand, lease = data.draw(st.sampled_from(self.leases))
        if hand not in self.hands:
            return
        hand.spend("denoise", milliseconds, lease)
        hand.beat()
        now, ledger = self.scene.now, self.scene.ledger
        with suppress(LeaseLost):
            match ending:
                case "fail":
                    fail_take(ledger, lease, ERROR, now=now)
                case "release":
                    release_lease(ledger, lease, now=now)
                case "renew":
                    renew_lease(ledger, lease, lease_seconds=60, now=now)
                case _:
                    accept_take(ledger, lease, REPORT, files(lease.take_id, lease.tenant), now=now)
                    if ending == "twice":
                        accept_take(
                            ledger, lease, REPORT, files(lease.take_id, lease.tenant), now=now
                        )

    @rule(prompt=st.sampled_from(PROMPTS))
    def forget(self, prompt: str) -> None:
        key = shot("any", prompt).render_key
        forget_outputs(self.scene.ledger, "bolt", key, "the file is gone", now=self.scene.now)

    @precondition(lambda self: self.hands)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        hand = data.draw(st.sampled_from(self.hands))
        hand.spend("idle", 10)
        hand.close()
        self.hands.remove(hand)

    @rule(price=st.integers(0, 10 * PRICE), hours=st.none() | st.integers(0, 48))
    def correct(self, price: int, hours: int | None) -> None:
        since = None if hours is None else self.scene.now - timedelta(hours=hours)
        rerating = Rerating(Selection(tenant="bolt", since=since), price, "mira", "why not")
        rerate(self.scene.ledger, rerating, now=self.scene.now)
        again = rerate(self.scene.ledger, rerating, now=self.scene.now)
        assert again.correction_id is None
        assert discrepancies(self.scene.ledger) == ()

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.scene.later(hours=hours)
        close_lost_workers(self.scene.ledger, now=self.scene.now, grace=timedelta(hours=6))

    @invariant()
    def rules_hold(self) -> None:
        books.check(self.scene.ledger)
        assert all(total <= LIMIT for total in books.used(self.scene.ledger).values())
        left = quota_left(self.scene.ledger, "bolt", "bob", now=self.scene.now)
        assert left.left == LIMIT - left.used
        assert books.reported(self.scene.ledger) == books.posted(self.scene.ledger)

    def teardown(self) -> None:
        if hasattr(self, "scene"):
            self.scene.ledger.close()
            self.folder.cleanup()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
