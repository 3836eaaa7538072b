"""Limits of shots, GPU time and money: of users and tenants, days and months, for a while."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from tests.ledger import books
from tests.ledger.racers import run_racers
from tests.ledger.scenes import CHANGE, ERROR, START, Scene, shot, shots
from wan_pipelines.errors import LedgerError, QuotaExceeded
from wan_pipelines.ledger.admission import Candidate
from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.limit_changes import change_limit, limit_changes
from wan_pipelines.ledger.limits import Limit, LimitChange, Scope, Subject, effective, window_of
from wan_pipelines.ledger.quotas import quotas_left
from wan_pipelines.ledger.remainders import QuotaLeft
from wan_pipelines.ledger.tables import LimitChangeRow
from wan_pipelines.ledger.takes import fail_take
from wan_pipelines.ledger.tenants import Plan, Tenant, configure
from wan_pipelines.ledger.whose import House

AUDIT = House("audit")

MINUTE = 60_000_000
CENT = 10_000
PLAN = Plan(
    "metered",
    further=(
        Limit("user_day", "shots", 4),
        Limit("tenant_day", "gpu_microseconds", 10 * MINUTE),
        Limit("tenant_month", "micro_usd", 30 * CENT),
    ),
)
TENANT = Tenant("corp", "metered", "America/New_York", ("ann", "ben"))
ANN, BEN = (EditionKey("corp", user, f"of-{user}", "first") for user in ("ann", "ben"))
FREE = (Limit("user_day", "shots", 5),)
CORPS = replace(CHANGE, tenant="corp")


def metered(ledger: Ledger) -> Scene:
    scene = Scene(ledger)
    configure(ledger, [PLAN], [TENANT], now=scene.now)
    return scene


def costing(name: str, minutes: float, cents: float = 0) -> Candidate:
    return shot(name, amount=Amount(1, round(minutes * MINUTE), round(cents * CENT)))


def left(scene: Scene, user: str = "ann") -> dict[str, QuotaLeft]:
    found = quotas_left(scene.ledger, "corp", user, now=scene.now)
    return {quota.measure: quota for quota in found}


def test_the_limit_that_is_reached_first_refuses_and_says_what_is_left(ledger: Ledger):
    scene = metered(ledger)
    wanted = [costing("a", 4), costing("b", 7), costing("c", 6), costing("d", 1)]
    told = {each.name: each for each in scene.admit(wanted, ANN)}
    assert [each.state for each in told.values()] == ["admitted", "refused", "admitted", "refused"]
    assert told["b"].reason == (
        "limit of 10 GPU-minutes a day for tenant corp (plan metered): 6 GPU-minutes left on "
        "2026-03-02, about 7 GPU-minutes needed; may run from 2026-03-03 00:00 EST"
    )
    assert told["d"].reason.endswith(
        "about 1 GPU-minutes needed; may run from 2026-03-03 00:00 EST"
    )
    assert told["d"].may_run_at == datetime(2026, 3, 3, 5, tzinfo=UTC)
    books.check(ledger)


def test_what_is_more_than_a_whole_limit_never_runs(ledger: Ledger):
    (told,) = metered(ledger).admit([costing("a", 11)], ANN)
    assert (told.state, told.may_run_at) == ("refused", None)
    assert told.reason.endswith(
        "that is more than the whole limit: choose a smaller shape or tier, or have it raised"
    )


def test_of_two_limits_the_one_that_holds_longer_is_told(ledger: Ledger):
    (told,) = metered(ledger).admit([costing("a", 1, 29), costing("b", 10, 2)], ANN)[1:]
    assert told.reason.startswith("limit of 0.3 USD a month for tenant corp (plan metered): 0.01")
    assert told.may_run_at == datetime(2026, 4, 1, 4, tzinfo=UTC), "daylight saving has begun"


def test_users_share_what_is_the_tenants_and_not_what_is_theirs(ledger: Ledger):
    scene = metered(ledger)
    assert set(scene.states([costing("a", 6)], ANN).values()) == {"admitted"}
    assert list(scene.states([costing("b", 6), costing("c", 3)], BEN).values()) == [
        "refused",
        "admitted",
    ]
    assert (left(scene)["shots"].used, left(scene, "ben")["shots"].used) == (1, 1)
    assert left(scene)["gpu_microseconds"].left == MINUTE


def test_what_a_take_took_counts_in_place_of_what_was_expected(ledger: Ledger):
    scene = metered(ledger)
    wanted = [costing("a", 8, 20)]
    scene.admit(wanted, ANN)
    assert left(scene)["gpu_microseconds"].used == 8 * MINUTE
    scene.worker(ANN).render(wanted[0])
    assert left(scene)["gpu_microseconds"].used == 1000, "as the report says"
    assert left(scene)["micro_usd"].used == 1
    books.check(ledger)


def test_a_failed_shot_is_not_tried_again_where_nothing_is_left(ledger: Ledger):
    scene = metered(ledger)
    wanted = costing("a", 6)
    scene.admit([wanted], ANN)
    hand = scene.worker(ANN)
    lease = hand.lease(wanted)
    fail_take(ledger, lease, ERROR, now=scene.now)
    assert left(scene)["gpu_microseconds"].used == 0
    scene.admit([costing("b", 5)], BEN)
    with pytest.raises(QuotaExceeded, match=r"a is not rendered again: limit of 10 GPU-minutes"):
        hand.ask(wanted)
    books.check(ledger)


def test_a_grant_holds_until_it_expires(ledger: Ledger):
    scene = metered(ledger)
    wanted = shots(*"abcdef")
    expires = scene.now + timedelta(days=1)
    more = replace(CORPS, kind="grant", amount=1, expires_at=expires, starts_at=scene.now)
    change_limit(ledger, more)
    assert list(scene.states(wanted, ANN).values()).count("admitted") == 5
    scene.later(days=1)
    assert left(scene)["shots"].limit == 4
    assert limit_changes(ledger, "corp") == (more,)


def test_a_limit_is_set_for_one_user(ledger: Ledger):
    scene = metered(ledger)
    change_limit(ledger, CORPS)
    change_limit(ledger, replace(CORPS, user="ben", amount=1))
    change_limit(ledger, replace(CORPS, amount=8))
    assert [left(scene, user)["shots"].limit for user in ("ann", "ben")] == [8, 1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": " "}, "a decision has a reason"),
        (
            {"scope": "tenant_day", "user": "ann"},
            "a limit of the whole tenant",
        ),
        ({"kind": "grant", "amount": None}, "a grant says how much more"),
        ({"amount": -1}, "an amount is not negative"),
        ({"expires_at": START}, "it would expire before it begins"),
        ({"tenant": "nobody"}, "Tenant nobody is not known"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(
    ledger: Ledger, changes: dict[str, object], words: str
):
    metered(ledger)
    with pytest.raises(LedgerError, match=words):
        change_limit(ledger, replace(CORPS, **changes))


def test_decisions_cannot_be_changed(ledger: Ledger):
    metered(ledger)
    change_limit(ledger, CORPS)
    for statement in (update(LimitChangeRow).values(amount=99), delete(LimitChangeRow)):
        with (
            pytest.raises(LedgerError, match="append-only"),
            ledger.write(AUDIT) as session,
        ):
            session.execute(statement)


def test_processes_of_several_users_never_exceed_the_tenants_limit(url: str, ledger: Ledger):
    scene = Scene(ledger, now=datetime.now(UTC))
    most = 10 * shot("any").amount.gpu_microseconds
    crowd = Tenant("crowd", "shared", "Pacific/Kiritimati", ("cleo",))
    plan = Plan("shared", further=(Limit("tenant_month", "gpu_microseconds", most),))
    configure(ledger, [plan], [crowd], now=scene.now)
    users = [f"user-{number}" for number in range(8)]
    run_racers("admit_editions", [(url, user, f"by-{user}", 3, 2) for user in users], kill=2)
    found = quotas_left(ledger, "crowd", "cleo", now=scene.now)
    assert [(quota.used, quota.left) for quota in found[1:]] == [(most, 0)]
    books.check(ledger)


def decided(**changes: object) -> LimitChange:
    return replace(CORPS, **changes)


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ([], 5),
        ([decided()], 9),
        ([decided(amount=None)], None),
        ([decided(), decided(amount=2)], 2),
        ([decided(kind="grant", amount=3), decided(kind="grant", amount=1)], 9),
        ([decided(user="ann", amount=1), decided(amount=7)], 1),
        ([decided(starts_at=START + timedelta(seconds=1))], 5),
        ([decided(expires_at=START)], 5),
        ([decided(measure="micro_usd", kind="grant", amount=3)], 5),
    ],
)
def test_how_decisions_add_up(changes: list[LimitChange], most: int | None):
    limits = {limit.subject: limit.most for limit in effective(FREE, changes, START)}
    assert limits.get(Subject("user_day", "shots")) == most
    assert len(limits) == (most is not None)


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["user_day", "tenant_day", "tenant_month"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Santiago", "Pacific/Apia"]),
)
def test_a_window_ends_where_the_next_begins(moment: datetime, scope: Scope, name: str):
    zone = ZoneInfo(name)
    window = window_of(scope, moment, zone)
    assert window.first_day <= moment.astimezone(zone).date().isoformat() <= window.last_day
    assert window_of(scope, window.resets_at - timedelta(microseconds=1), zone) == window
    following = window_of(scope, window.resets_at, zone)
    assert following.first_day > window.last_day
