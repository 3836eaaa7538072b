"""Limits of everything, changed and used in any order, against a model that only adds up."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.ledger import books
from tests.ledger.scenes import CHANGE, ERROR, REPORT, TENANTS, Scene, shot
from wan_pipelines.ledger.admission import Candidate
from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.limit_changes import change_limit
from wan_pipelines.ledger.limits import Limit, LimitChange, Subject
from wan_pipelines.ledger.quotas import quotas_left
from wan_pipelines.ledger.takes import fail_take
from wan_pipelines.ledger.tenants import Plan, Tenant, configure

ZONE = "America/New_York"
BEFORE_CLOCKS_CHANGE = datetime(2026, 10, 31, 2, tzinfo=UTC)
"""The evening of the 30th in New York: days of 24 and 25 hours and another month are near."""
USERS = ("ada", "bob")
MOST = {
    Subject("user_day", "shots"): 4,
    Subject("user_day", "micro_usd"): 90,
    Subject("tenant_day", "gpu_microseconds"): 90_000,
    Subject("tenant_month", "shots"): 9,
    Subject("tenant_month", "micro_usd"): 200,
}
TOOK = Amount(1, 1000, 1)
"""What a take of `REPORT` takes at the scene's price: a thousandth of a second."""

template = TemporaryDirectory()
Ledger.open(Path(template.name) / "ledger.db").close()


@dataclass
class Reserved:
    """What the model knows of an admitted shot."""

    user: str
    day: str
    amount: Amount
    edition: EditionKey
    candidate: Candidate


@dataclass
class Model:
    """Limits as somebody would explain them, without a database."""

    changes: list[LimitChange] = field(default_factory=list)
    held: list[Reserved] = field(default_factory=list)

    def most(self, user: str, subject: Subject, now: datetime) -> int | None:
        most: int | None = MOST.get(subject)
        theirs = [each for each in self.changes if each.user in (None, user)]
        holding = [each for each in theirs if (each.scope, each.measure) == subject]
        holding = [each for each in holding if each.expires_at is None or now < each.expires_at]
        for whom in (None, user):
            for change in holding:
                if change.kind == "set" and change.user == whom:
                    most = change.amount
        if most is None:
            return None
        grants = [each.amount or 0 for each in holding if each.kind == "grant"]
        return most + sum(grants)

    def used(self, user: str, subject: Subject, day: str) -> int:
        return sum(
            each.amount.of(subject.measure)
            for each in self.held
            if (each.day[:7] == day[:7] if subject.scope == "tenant_month" else each.day == day)
            and (subject.scope != "user_day" or each.user == user)
        )

    def fits(self, user: str, amount: Amount, now: datetime) -> bool:
        for subject in MOST:
            most = self.most(user, subject, now)
            used = self.used(user, subject, local_day(now))
            if most is not None and used + amount.of(subject.measure) > max(most, used):
                return False
        return True


def local_day(now: datetime) -> str:
    return now.astimezone(ZoneInfo(ZONE)).date().isoformat()


class AnyLimits(RuleBasedStateMachine):
    """One tenant, two users, a week around the end of daylight saving and of a month."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        file = Path(self.folder.name) / "ledger.db"
        shutil.copy(Path(template.name) / "ledger.db", file)
        self.scene = Scene(Ledger.open(file), now=BEFORE_CLOCKS_CHANGE)
        plan = Plan("small", further=tuple(Limit(*subject, most) for subject, most in MOST.items()))
        tenants = (Tenant("acme", "small", ZONE, USERS), TENANTS[1])
        configure(self.scene.ledger, [plan], tenants, now=self.scene.now)
        self.model = Model()
        self.names = map(str, count())

    @rule(
        user=st.sampled_from(USERS),
        costs=st.lists(st.integers(2, 40), min_size=1, max_size=3),
    )
    def admit(self, user: str, costs: list[int]) -> None:
        edition = EditionKey("acme", user, "any", next(self.names))
        now = self.scene.now
        wanted = [shot(next(self.names), amount=Amount(1, cost * 1000, cost)) for cost in costs]
        told = self.scene.admit(wanted, edition)
        for candidate, answer in zip(wanted, told, strict=True):
            fits = self.model.fits(user, candidate.amount, now)
            assert (answer.state == "admitted") is fits, answer.reason
            if fits:
                reserved = Reserved(user, local_day(now), candidate.amount, edition, candidate)
                self.model.held.append(reserved)

    @rule(
        user=st.sampled_from((None, *USERS)),
        subject=st.sampled_from(sorted(MOST)),
        kind=st.sampled_from(["set", "grant"]),
        amount=st.integers(1, 300),
        hours=st.none() | st.integers(1, 60),
    )
    def decide(
        self, user: str | None, subject: Subject, kind: str, amount: int, hours: int | None
    ) -> None:
        units = {"shots": 30, "gpu_microseconds": 1, "micro_usd": 1}
        change = replace(
            CHANGE,
            user=user if subject.scope == "user_day" else None,
            scope=subject.scope,
            measure=subject.measure,
            kind=kind,
            amount=1 + amount // units[subject.measure],
            starts_at=self.scene.now,
            expires_at=None if hours is None else self.scene.now + timedelta(hours=hours),
            decided_at=self.scene.now,
        )
        change_limit(self.scene.ledger, change)
        self.model.changes.append(change)

    @precondition(lambda self: self.model.held)
    @rule(data=st.data(), ending=st.sampled_from(["accept", "fail"]))
    def end(self, data: st.DataObject, ending: str) -> None:
        waiting = [each for each in self.model.held if each.amount != TOOK]
        if not waiting:
            return
        chosen = data.draw(st.sampled_from(waiting))
        hand = self.scene.worker(chosen.edition)
        lease = hand.lease(chosen.candidate)
        if ending == "accept":
            hand.accept(lease, REPORT)
            chosen.amount = TOOK
        else:
            fail_take(self.scene.ledger, lease, ERROR, now=self.scene.now)
            self.model.held.remove(chosen)
        hand.close()

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.scene.later(hours=hours)

    @invariant()
    def every_balance_is_the_models(self) -> None:
        for user in USERS:
            for told, expected in self.balances(user):
                assert told == expected
        books.check(self.scene.ledger)

    def balances(self, user: str) -> Iterator[tuple[object, object]]:
        now = self.scene.now
        for left in quotas_left(self.scene.ledger, "acme", user, now=now):
            subject = Subject(left.scope, left.measure)
            most = self.model.most(user, subject, now)
            used = self.model.used(user, subject, local_day(now))
            yield (
                (subject, left.limit, left.used, left.left),
                (subject, most, used, None if most is None else max(0, most - used)),
            )

    def teardown(self) -> None:
        if hasattr(self, "scene"):
            self.scene.ledger.close()
            self.folder.cleanup()


TestAnyLimits = AnyLimits.TestCase
TestAnyLimits.settings = settings(
    max_examples=6,
    stateful_step_count=16,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
