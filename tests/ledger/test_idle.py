"""The idle account: what nobody held is charged once, and revised when more is known."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.ledger.scenes import Scene, shots
from wan_pipelines.ledger.audits import discrepancies
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.fleets import Fleet
from wan_pipelines.ledger.idle import IdleDay, charge_idle, idle_days
from wan_pipelines.ledger.postings import POSTINGS
from wan_pipelines.ledger.tables import IdleEntryRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.ledger.workers import heartbeat

TODAY = date(2026, 3, 2)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
FLEET = Fleet("base", "laptop-cpu", 2, MIDNIGHT, micro_usd_per_gpu_hour=1_000_000)
HOUR = 3_600_000_000


def night(ledger: Ledger, *fleets: Fleet, days: int = 1) -> tuple[IdleDay, ...]:
    return charge_idle(
        ledger, fleets, TODAY, TODAY + timedelta(days=5), now=MIDNIGHT + timedelta(days=days)
    )


def entries(ledger: Ledger) -> list[tuple[int, str, int]]:
    columns = (IdleEntryRow.revision, IdleEntryRow.kind, IdleEntryRow.micro_usd)
    with ledger.read(House("audit")) as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(IdleEntryRow.id))]


def test_a_day_is_charged_once_for_what_nobody_held(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("red"))
    hand = scene.worker()
    scene.later(hours=3)
    hand.close()
    (day,) = night(ledger, FLEET)
    assert (day.day, day.fleet, day.gpu_class, day.revisions) == (TODAY, "base", "laptop-cpu", 0)
    assert day.usage.reserved_gpu_microseconds == 48 * HOUR
    assert day.usage.reserved_micro_usd == 48_000_000
    assert day.usage.idle_gpu_microseconds == 45 * HOUR
    assert day.usage.idle_micro_usd == 45_000_000
    assert night(ledger, FLEET) == ()
    assert idle_days(ledger, TODAY, TODAY) == (day,)
    assert entries(ledger) == [(0, "idle", 45_000_000)]


def test_only_days_that_are_over_are_charged(ledger: Ledger):
    assert night(ledger, FLEET, days=0) == ()
    assert [day.day for day in night(ledger, FLEET, days=2)] == [
        TODAY,
        TODAY + timedelta(days=1),
    ]


def test_work_that_is_reported_late_takes_the_charge_back(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("red"))
    hand = scene.worker()
    assert night(ledger, FLEET)[0].usage.idle_micro_usd == 48_000_000
    scene.later(hours=6)
    heartbeat(ledger, "acme", hand.id, now=scene.now)
    (revised,) = night(ledger, FLEET)
    assert (revised.usage.idle_micro_usd, revised.revisions) == (42_000_000, 1)
    scene.later(hours=1)
    hand.close()
    (revised,) = night(ledger, FLEET)
    assert (revised.usage.idle_micro_usd, revised.revisions) == (41_000_000, 2)
    assert entries(ledger) == [
        (0, "idle", 48_000_000),
        (0, "reversal", -48_000_000),
        (1, "idle", 42_000_000),
        (1, "reversal", -42_000_000),
        (2, "idle", 41_000_000),
    ]
    with ledger.read(House("audit")) as session:
        idle = select(func.sum(POSTINGS.c.micro_usd)).where(POSTINGS.c.account == "idle")
        assert session.scalar(idle) == 41_000_000


def test_a_worker_across_midnight_holds_its_part_of_each_day(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("red"))
    scene.now = MIDNIGHT + timedelta(hours=22)
    hand = scene.worker()
    scene.later(hours=5)
    hand.close()
    found = night(ledger, FLEET, days=2)
    assert [day.usage.idle_gpu_microseconds // HOUR for day in found] == [46, 45]


def test_other_classes_hold_nothing_of_a_fleet(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("red"))
    hand = scene.worker()
    scene.later(hours=3)
    hand.close()
    other = replace(FLEET, gpu_class="h100")
    assert night(ledger, other)[0].usage.idle_gpu_microseconds == 48 * HOUR


def test_a_fleet_that_is_declared_otherwise_is_charged_otherwise(ledger: Ledger):
    night(ledger, FLEET)
    later = replace(FLEET, since=MIDNIGHT + timedelta(days=3))
    (gone,) = night(ledger, later)
    assert gone.usage.reserved_gpu_microseconds == 0
    assert idle_days(ledger, TODAY, TODAY) == ()
    (back,) = night(ledger, replace(FLEET, gpus=1))
    assert (back.usage.idle_micro_usd, back.revisions) == (24_000_000, 1)


def test_a_fleet_that_changes_its_class_is_charged_in_the_new_one(ledger: Ledger):
    night(ledger, FLEET)
    for gpus in (2, 3, 4):
        night(ledger, replace(FLEET, gpu_class="a100", gpus=gpus))
    by_class = select(IdleEntryRow.gpu_class, func.sum(IdleEntryRow.micro_usd)).group_by(
        IdleEntryRow.gpu_class
    )
    with ledger.read(House("audit")) as session:
        sums = {name: int(amount) for name, amount in session.execute(by_class)}
    assert sums == {FLEET.gpu_class: 0, "a100": 96_000_000}


def test_many_nights_at_once_charge_a_day_once(ledger: Ledger):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: night(ledger, FLEET), range(6)))
    assert entries(ledger) == [(0, "idle", 48_000_000)]


def test_an_audit_finds_a_day_that_is_charged_twice_or_taken_back_in_part(ledger: Ledger):
    night(ledger, FLEET)
    assert discrepancies(ledger) == ()
    with ledger.write(House("audit")) as session:
        (entry,) = session.scalars(select(IdleEntryRow)).all()
        kept = {name: getattr(entry, name) for name in ("fleet", "starts_at", "gpu_class")}
        rest = {"reserved_gpu_microseconds": 0, "reserved_micro_usd": 0, "gpu_microseconds": 0}
        common = {**kept, **rest, "micro_usd": 5, "reason": "", "created_at": 0}
        session.add(IdleEntryRow(**common, kind="idle", revision=1))
    (twice,) = discrepancies(ledger)
    assert "is charged 2 times for idle time on 2026-03-02" in twice.words
    with ledger.write(House("audit")) as session:
        session.add(IdleEntryRow(**common, kind="reversal", revision=1))
    (half,) = discrepancies(ledger)
    assert "taken back in part" in half.words


def test_an_entry_is_never_changed(ledger: Ledger):
    night(ledger, FLEET)
    with pytest.raises(Exception, match="append-only"), ledger.write(House("audit")) as session:
        session.delete(session.scalars(select(IdleEntryRow)).one())
