"""Charges at a price that was wrong are corrected by entries; every sum follows, once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.ledger import books
from tests.ledger.scenes import DEMO, PRICE, START, Hand, Scene, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.audits import discrepancies
from wan_pipelines.ledger.corrections import Rerated, Rerating, Selection, corrections, rerate
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.limits import Limit
from wan_pipelines.ledger.postings import POSTINGS
from wan_pipelines.ledger.quotas import quotas_left
from wan_pipelines.ledger.reports import cost_totals, edition_totals, run_costs
from wan_pipelines.ledger.tables import ChargeRow, CorrectedChargeRow, QuotaEntryRow
from wan_pipelines.ledger.tenants import Plan, configure
from wan_pipelines.ledger.whose import House
from wan_pipelines.ledger.workers import give_up, heartbeat

CLASS = Selection(gpu_class="laptop-cpu")
HOUSE = House("operator")


def rendered(ledger: Ledger) -> Scene:
    """Two shots in 3 seconds of a worker that loads for another: 4,000 micro-dollars."""
    scene = Scene(ledger)
    wanted = shots("red", "blue")
    scene.admit(wanted)
    hand = scene.worker()
    hand.spend("load", 1000)
    hand.render(wanted[0], 1000)
    hand.render(wanted[1], 2000)
    hand.close()
    return scene


def correct(
    scene: Scene, price: int, selection: Selection = CLASS, *, dry_run: bool = False
) -> Rerated:
    rerating = Rerating(selection, price, "mira", "the list was of last year")
    return rerate(scene.ledger, rerating, now=scene.later(days=1), dry_run=dry_run)


def sums(outcome: Rerated) -> tuple[int, int, int, int]:
    """Workers, charges, micro-dollars before and after."""
    return astuple(outcome)[2:]


def charged(ledger: Ledger) -> list[int]:
    with ledger.read(HOUSE) as session:
        return list(session.scalars(select(ChargeRow.micro_usd).order_by(ChargeRow.id)))


def test_all_sums_follow_a_correction(ledger: Ledger):
    scene = rendered(ledger)
    before = charged(ledger)
    assert sums(correct(scene, PRICE // 2)) == (1, 4, 4000, 2000)
    after = charged(ledger)
    assert after[: len(before)] == before
    assert sum(after) == 2000
    assert edition_totals(ledger, DEMO).cost_micro_usd == 2000
    (run,) = run_costs(ledger, "acme")
    assert (run.paid_micro_usd, run.charged_micro_usd, run.gpu_microseconds) == (
        2000,
        2000,
        4_000_000,
    )
    (campaign,) = cost_totals(ledger, "campaign", "acme")
    assert (campaign.micro_usd, campaign.gpu_microseconds) == (2000, 4_000_000)
    with ledger.read(HOUSE) as session:
        query = select(POSTINGS.c.account, func.sum(POSTINGS.c.micro_usd)).group_by("account")
        accounts = {account: int(amount) for account, amount in session.execute(query)}
    assert accounts == {"video": 1500, "overhead": 500}
    assert discrepancies(ledger) == ()
    books.check(ledger)


def test_money_that_counts_of_a_quota_follows(ledger: Ledger):
    scene = rendered(ledger)

    def used() -> int:
        found = quotas_left(ledger, "acme", "ada", now=START)
        return next((each.used for each in found if each.measure == "micro_usd"), -1)

    plan = Plan("internal", further=(Limit("tenant_month", "micro_usd", 10**9),))
    configure(ledger, [plan], [], now=START)
    assert used() == 2  # two takes whose stages took a millisecond each
    correct(scene, 500 * PRICE)
    assert used() == 1000
    correct(scene, 500 * PRICE)
    assert used() == 1000
    correct(scene, 0)
    assert used() == 0
    assert discrepancies(ledger) == ()


def test_a_correction_is_made_once(ledger: Ledger):
    scene = rendered(ledger)
    correct(scene, PRICE // 2)
    entries = charged(ledger)
    assert correct(scene, PRICE // 2) == Rerated(None, 1, 0, 0, 0, 0)
    assert charged(ledger) == entries
    (made,) = corrections(ledger)
    assert (made.decided_by, made.reason, made.micro_usd, made.charges) == (
        "mira",
        "the list was of last year",
        -2000,
        4,
    )
    assert made.selection == {"gpu_class": "laptop-cpu"}


def test_a_second_correction_is_about_what_stands_since_the_first(ledger: Ledger):
    scene = rendered(ledger)
    correct(scene, PRICE // 2)
    assert sums(correct(scene, PRICE)) == (1, 4, 2000, 4000)
    assert sum(charged(ledger)) == 4000
    assert [made.micro_usd for made in corrections(ledger)] == [-2000, 2000]
    assert discrepancies(ledger) == ()


def test_the_database_takes_no_charge_back_twice(ledger: Ledger):
    scene = rendered(ledger)
    correct(scene, 0)
    with ledger.read(HOUSE) as session:
        reverses = CorrectedChargeRow.reverses.is_not(None)
        link = session.scalars(select(CorrectedChargeRow).where(reverses)).first()
        assert link
        again = CorrectedChargeRow(
            charge_id=link.reverses,
            correction_id=link.correction_id,
            reverses=link.reverses,
            created_at=0,
        )

    def write() -> None:
        with ledger.write(HOUSE) as session:
            session.add(again)

    with pytest.raises(LedgerError, match="refused a change that would break its rules"):
        write()


def test_many_who_correct_at_once_correct_once(ledger: Ledger):
    scene = rendered(ledger)
    rerating = Rerating(CLASS, PRICE // 4, "mira", "everybody saw it")
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: rerate(ledger, rerating, now=scene.now), range(6)))
    assert sorted(outcome.charges for outcome in made) == [0, 0, 0, 0, 0, 4]
    assert sum(charged(ledger)) == 1000
    assert len(corrections(ledger)) == 1
    books.check(ledger)


def test_a_trial_keeps_nothing(ledger: Ledger):
    scene = rendered(ledger)
    before = charged(ledger)
    assert correct(scene, 0, dry_run=True).after_micro_usd == 0
    assert (charged(ledger), corrections(ledger)) == (before, ())


@pytest.mark.parametrize(
    ("selection", "after"),
    [
        (Selection(since=START + timedelta(seconds=1)), 4000),
        (Selection(until=START), 4000),
        (Selection(since=START, until=START + timedelta(seconds=1)), 0),
        (Selection(gpu_class="h100"), 4000),
        (Selection(market="spot"), 4000),
        (Selection(tenant="bolt"), 4000),
        (Selection(tenant="acme", run_id="run-1"), 0),
    ],
)
def test_only_what_was_meant_is_corrected(ledger: Ledger, selection: Selection, after: int):
    scene = rendered(ledger)
    correct(scene, 0, selection)
    assert sum(charged(ledger)) == after
    books.check(ledger)


def test_a_single_take_is_waived(ledger: Ledger):
    scene = Scene(ledger)
    wanted = shots("red", "blue")
    scene.admit(wanted)
    hand = scene.worker()
    take = hand.render(wanted[0], 1000)
    hand.render(wanted[1], 2000)
    hand.close()
    correct(scene, 0, Selection(take_id=take))
    assert sum(charged(ledger)) == 2000
    correct(scene, 500 * PRICE)
    assert sum(charged(ledger)) == 500 * 2000  # it stays waived, whatever its class costs
    with ledger.read(HOUSE) as session:
        corrected = select(QuotaEntryRow.micro_usd).filter_by(kind="correct")
        assert sorted(session.scalars(corrected)) == [-1, 499]
    books.check(ledger)
    assert discrepancies(ledger) == ()


def test_a_lost_worker_that_comes_back_after_a_correction_is_paid_for_the_rest(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("red"))
    hand = scene.worker()
    scene.later(seconds=2)
    heartbeat(ledger, "acme", hand.id, now=scene.now)
    give_up(ledger, [hand.id], now=scene.now)
    hand_back = scene.now
    correct(scene, 0)
    scene.now = hand_back + timedelta(seconds=3)
    Hand(scene, hand.edition, hand.id).close()
    assert sum(charged(ledger)) == 3000
    books.check(ledger)
    assert discrepancies(ledger) == ()


@pytest.mark.parametrize(
    ("rerating", "told"),
    [
        (Rerating(Selection(), 1, "mira", "why"), "say which ones"),
        (Rerating(CLASS, -1, "mira", "why"), "negative"),
        (Rerating(CLASS, 1, "mira", " "), "has a reason"),
        (Rerating(Selection(since=START, until=START), 1, "mira", "why"), "before it begins"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(ledger: Ledger, rerating: Rerating, told: str):
    with pytest.raises(LedgerError, match=told):
        rerate(ledger, rerating, now=START)


def test_an_audit_finds_a_correction_that_takes_back_something_else(ledger: Ledger):
    scene = rendered(ledger)
    correct(scene, PRICE // 2)
    with ledger.write(HOUSE) as session:
        charge = session.scalars(select(ChargeRow).order_by(ChargeRow.id).limit(1)).one()
        wrong = {"worker_id": charge.worker_id, "take_id": None, "kind": "load"}
        row = ChargeRow(tenant="acme", gpu_microseconds=0, micro_usd=0, created_at=0, **wrong)
        session.add(row)
        session.flush()
        last = session.scalars(select(func.max(CorrectedChargeRow.charge_id))).one()
        (made,) = corrections(ledger)
        link = {"charge_id": row.id, "correction_id": made.id, "reverses": last, "created_at": 0}
        session.add(CorrectedChargeRow(**link))
    assert [each.trouble for each in discrepancies(ledger)] == ["unreversed"]
