"""An edition that has a budget ends within it, but for what runs already."""

from datetime import timedelta

import pytest

from tests.ledger import books
from tests.ledger.scenes import DEMO, PRICE, Scene, shot
from wan_pipelines.errors import QuotaExceeded
from wan_pipelines.ledger.admission import Candidate
from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.leases import Lease
from wan_pipelines.ledger.reports import edition_totals

CENT = 10_000
SECONDS_FOR_A_CENT = CENT * 3600 // PRICE


def costing(name: str, cents: int) -> Candidate:
    return shot(name, amount=Amount(1, cents * SECONDS_FOR_A_CENT * 1_000_000, cents * CENT))


THREE = [costing("a", 2), costing("b", 2), costing("c", 2)]


def test_shots_are_admitted_as_long_as_the_budget_lasts(ledger: Ledger):
    scene = Scene(ledger)
    told = scene.admit([*THREE, costing("d", 1)], budget_micro_usd=5 * CENT)
    assert [each.state for each in told] == ["admitted", "admitted", "refused", "admitted"]
    assert told[2].reason == (
        "budget of 0.05 USD for edition demo/first: 0.01 USD left, about 0.02 USD needed; "
        "raise budget_usd and run it again"
    )
    assert told[2].may_run_at is None
    again = scene.states([*THREE, costing("d", 1)], budget_micro_usd=5 * CENT)
    assert list(again.values()) == ["admitted", "admitted", "refused", "admitted"]
    assert set(scene.states(THREE, budget_micro_usd=6 * CENT).values()) == {"admitted"}
    books.check(ledger)


def test_what_was_paid_counts_and_not_what_was_expected(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE[:1], budget_micro_usd=4 * CENT)
    hand = scene.worker()
    hand.render(THREE[0], milliseconds=3 * SECONDS_FOR_A_CENT * 1000)
    hand.close()
    assert edition_totals(ledger, DEMO).cost_micro_usd == 3 * CENT
    states = scene.states(THREE[:2], budget_micro_usd=4 * CENT)
    assert states == {"a": "admitted", "b": "refused"}


def test_nothing_is_begun_once_the_budget_is_used_up(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE, budget_micro_usd=6 * CENT)
    hand = scene.worker()
    first = hand.lease(THREE[0], seconds=10**6)
    hand.spend("denoise", 6 * SECONDS_FOR_A_CENT * 1000, first)
    hand.beat()
    with pytest.raises(QuotaExceeded, match=r"b is not begun: budget of 0.06 USD .* 0 USD left"):
        hand.ask(THREE[1])
    hand.accept(first)
    scene.states(THREE, budget_micro_usd=20 * CENT)
    assert isinstance(hand.ask(THREE[1]), Lease), "after a raise it goes on where it stopped"
    books.check(ledger)


def test_a_worker_that_is_paid_counts_until_its_last_sign_of_life(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE[:1], budget_micro_usd=9 * CENT)
    hand = scene.worker()
    scene.later(seconds=8 * SECONDS_FOR_A_CENT)
    hand.beat()
    scene.now += timedelta(days=1)
    assert scene.states(THREE[:2], budget_micro_usd=9 * CENT)["b"] == "refused"
    assert scene.states(THREE[:2], budget_micro_usd=12 * CENT)["b"] == "admitted"


def test_without_a_budget_nothing_is_stopped(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE, budget_micro_usd=6 * CENT)
    assert set(scene.states([*THREE, costing("d", 10**6)]).values()) == {"admitted"}
