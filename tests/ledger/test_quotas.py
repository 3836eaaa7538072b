from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from tests.ledger import books
from tests.ledger.scenes import Scene, shot, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.limits import local_day, next_midnight
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.tables import QuotaEntryRow
from wan_pipelines.ledger.tenants import Plan, configure
from wan_pipelines.ledger.whose import House

AUDIT = House("audit")

SPRING = EditionKey("bolt", "bob", "spring", "first")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # clocks jump at midnight
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # by half an hour
    "Pacific/Kiritimati",
]


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(ZONES),
)
def test_the_next_day_begins_at_the_next_midnight(moment: datetime, name: str):
    zone = ZoneInfo(name)
    midnight = next_midnight(moment, zone)
    assert timedelta(0) < midnight - moment <= timedelta(hours=25)
    assert local_day(midnight, zone) != local_day(moment, zone)
    assert local_day(midnight - timedelta(microseconds=1), zone) == local_day(moment, zone)


@pytest.mark.parametrize(
    ("begins", "hours"),
    [("2026-03-28T23:00", 23), ("2026-10-24T22:00", 25), ("2026-06-01T22:00", 24)],
)
def test_days_are_as_long_as_the_clocks_say(begins: str, hours: int):
    moment = datetime.fromisoformat(begins).replace(tzinfo=UTC)
    midnight = next_midnight(moment, ZoneInfo("Europe/Berlin"))
    assert midnight - moment == timedelta(hours=hours)


def test_a_refusal_says_which_limit_what_is_left_and_when_to_come_back(ledger: Ledger):
    scene = Scene(ledger)
    decided = scene.admit(shots("a", "b", "c", "d", "e", "f", "g"), SPRING)
    assert [admission.state for admission in decided] == ["admitted"] * 5 + ["refused"] * 2
    assert decided[5].reason == (
        "limit of 5 shots a day for user bob (plan free): 0 left on 2026-03-02; "
        "may run from 2026-03-03 00:00 EST"
    )
    assert decided[5].may_run_at == datetime(2026, 3, 3, 5, tzinfo=UTC)
    left = quota_left(ledger, "bolt", "bob", now=scene.now)
    assert (left.limit, left.used, left.left) == (5, 5, 0)


def test_what_was_refused_yesterday_is_admitted_today(ledger: Ledger):
    scene = Scene(ledger)
    wanted = shots(*"abcdefgh")
    assert list(scene.states(wanted, SPRING).values()).count("refused") == 3
    hand = scene.worker(SPRING)
    for candidate in wanted[:5]:
        hand.render(candidate)
    scene.now = datetime(2026, 3, 3, 4, 59, tzinfo=UTC)
    assert list(scene.states(wanted, SPRING).values()).count("refused") == 3
    scene.later(minutes=1)
    assert set(scene.states(wanted, SPRING).values()) == {"admitted"}
    assert books.used(ledger) == {
        ("bolt", "bob", "2026-03-02"): 5,
        ("bolt", "bob", "2026-03-03"): 3,
    }
    books.check(ledger)


def test_each_user_has_a_quota_of_their_own(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots(*"abcde"), SPRING)
    other = EditionKey("bolt", "bea", "autumn", "first")
    assert set(scene.states(shots(*"vwxyz"), other).values()) == {"admitted"}


def test_internal_tenants_have_no_limit(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots(*"abcdefgh"))
    left = quota_left(ledger, "acme", "ada", now=scene.now)
    assert (left.limit, left.used, left.left) == (None, 8, None)


def test_a_lowered_limit_takes_nothing_back(ledger: Ledger):
    scene = Scene(ledger)
    wanted = shots(*"abcde")
    scene.admit(wanted, SPRING)
    configure(ledger, [Plan("free", 3)], [], now=scene.now)
    assert set(scene.states([*wanted, shot("f")], SPRING).values()) == {"admitted", "refused"}
    left = quota_left(ledger, "bolt", "bob", now=scene.now)
    assert (left.used, left.left) == (5, 0)


def test_entries_cannot_be_changed_or_deleted(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("a"), SPRING)
    for statement in (update(QuotaEntryRow).values(shots=0), delete(QuotaEntryRow)):
        with (
            pytest.raises(LedgerError, match="append-only"),
            ledger.write(AUDIT) as session,
        ):
            session.execute(statement)
    assert books.used(ledger) == {("bolt", "bob", "2026-03-02"): 1}
