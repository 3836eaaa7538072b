"""An edition that has a budget ends within it, but for what runs already."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from tests.ledger import books
from tests.ledger.scenes import DEMO, PLANS, PRICE, TENANTS, Scene, shot
from wan_pipelines.errors import QuotaExceeded
from wan_pipelines.ledger.admission import Candidate
from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.budget_notices import note_reached, notices
from wan_pipelines.ledger.budget_refusals import admissible_again, refuse_beyond_budget
from wan_pipelines.ledger.budget_rows import binding, standings_of
from wan_pipelines.ledger.budget_sums import with_reserved
from wan_pipelines.ledger.budgets import Budget, Budgets, BudgetStanding
from wan_pipelines.ledger.corrections import Rerating, Selection, rerate
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import edition_shots
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.leases import Lease, stopped_by_budget
from wan_pipelines.ledger.prices import Price, publish_prices
from wan_pipelines.ledger.reports import edition_totals
from wan_pipelines.ledger.tenants import configure
from wan_pipelines.ledger.workers import WorkerPlace, heartbeat, open_worker

CENT = 10_000
SECONDS_FOR_A_CENT = CENT * 3600 // PRICE


def costing(name: str, cents: int) -> Candidate:
    return shot(name, amount=Amount(1, cents * SECONDS_FOR_A_CENT * 1_000_000, cents * CENT))


def of_edition(cents: int) -> Budgets:
    return Budgets(edition=Budget(cents * CENT, finish=cents * CENT))


ALL_STATES = ("admitted", "refused")
THREE = [costing("a", 2), costing("b", 2), costing("c", 2)]


def test_shots_are_admitted_as_long_as_the_budget_lasts(ledger: Ledger):
    scene = Scene(ledger)
    told = scene.admit([*THREE, costing("d", 1)], budgets=of_edition(5))
    assert [each.state for each in told] == ["admitted", "admitted", "refused", "admitted"]
    assert told[2].reason == (
        "budget of 0.05 USD for edition demo/first: 0.01 USD left, about 0.02 USD needed; "
        "raise budget_usd or budget.usd and run it again"
    )
    assert told[2].may_run_at is None
    again = scene.states([*THREE, costing("d", 1)], budgets=of_edition(5))
    assert list(again.values()) == ["admitted", "admitted", "refused", "admitted"]
    assert set(scene.states(THREE, budgets=of_edition(6)).values()) == {"admitted"}
    books.check(ledger)


def test_what_was_paid_counts_and_not_what_was_expected(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE[:1], budgets=of_edition(4))
    hand = scene.worker()
    hand.render(THREE[0], milliseconds=3 * SECONDS_FOR_A_CENT * 1000)
    hand.close()
    assert edition_totals(ledger, DEMO).cost_micro_usd == 3 * CENT
    states = scene.states(THREE[:2], budgets=of_edition(4))
    assert states == {"a": "admitted", "b": "refused"}


def test_nothing_is_begun_once_the_budget_is_used_up(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE, budgets=of_edition(6))
    hand = scene.worker()
    first = hand.lease(THREE[0], seconds=10**6)
    hand.spend("denoise", 6 * SECONDS_FOR_A_CENT * 1000, first)
    hand.beat()
    with pytest.raises(QuotaExceeded, match=r"b is not begun: budget of 0.06 USD .* 0 USD left"):
        hand.ask(THREE[1])
    hand.accept(first)
    scene.states(THREE, budgets=of_edition(20))
    assert isinstance(hand.ask(THREE[1]), Lease), "after a raise it goes on where it stopped"
    books.check(ledger)


def test_what_waits_for_a_budget_that_is_used_up_is_refused_until_it_is_raised(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE, budgets=of_edition(6))
    hand = scene.worker()
    running = hand.lease(THREE[0], seconds=10**6)
    hand.spend("denoise", 6 * SECONDS_FOR_A_CENT * 1000, running)
    hand.beat()
    assert refuse_beyond_budget(ledger, DEMO, now=scene.now) == 2
    states = {each.name: each.state for each in edition_shots(ledger, DEMO, states=ALL_STATES)}
    assert states == {"a": "admitted", "b": "refused", "c": "refused"}, "what runs is finished"
    again = scene.admit(THREE, budgets=of_edition(6))
    assert [each.state for each in again] == ["admitted", "refused", "refused"]
    assert "0 USD left, about 0.02 USD needed; raise budget_usd" in again[1].reason
    hand.accept(running)
    hand.close()
    books.check(ledger)
    scene.later(seconds=1)
    assert admissible_again(ledger, DEMO, of_edition(7), now=scene.now) == frozenset()
    assert admissible_again(ledger, DEMO, of_edition(9), now=scene.now) == {"b"}
    assert scene.states(THREE, budgets=of_edition(9)) == {
        "a": "admitted",
        "b": "admitted",
        "c": "refused",
    }


def test_a_launch_refuses_what_an_earlier_one_left_waiting(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE[:2], budgets=of_edition(4))
    hand = scene.worker()
    hand.spend("load", 4 * SECONDS_FOR_A_CENT * 1000)
    hand.close()
    assert set(scene.states(THREE[:2], budgets=of_edition(4)).values()) == {"refused"}
    assert refuse_beyond_budget(ledger, DEMO, now=scene.now) == 0
    books.check(ledger)


def test_what_is_left_is_no_reason_to_launch_again_and_a_raise_is(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE, budgets=of_edition(4))
    hand = scene.worker()
    for each in THREE[:2]:
        hand.render(each, milliseconds=SECONDS_FOR_A_CENT * 1000)
    hand.close()
    scene.later(seconds=1)
    assert admissible_again(ledger, DEMO, of_edition(4), now=scene.now) == frozenset()
    assert admissible_again(ledger, DEMO, of_edition(5), now=scene.now) == {"c"}
    assert scene.states(THREE, budgets=of_edition(4))["c"] == "admitted", "to a person it is one"


def test_a_worker_that_is_paid_counts_until_its_last_sign_of_life(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE[:1], budgets=of_edition(9))
    hand = scene.worker()
    scene.later(seconds=8 * SECONDS_FOR_A_CENT)
    hand.beat()
    scene.now += timedelta(days=1)
    assert scene.states(THREE[:2], budgets=of_edition(9))["b"] == "refused"
    assert scene.states(THREE[:2], budgets=of_edition(12))["b"] == "admitted"


def test_without_a_budget_nothing_is_stopped(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(THREE, budgets=of_edition(6))
    assert set(scene.states([*THREE, costing("d", 10**6)]).values()) == {"admitted"}


MARCH = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
"""Half past eleven in Berlin, on the last day of the month."""
NEXT = EditionKey("acme", "ada", "demo", "second")
OTHER = EditionKey("acme", "ada", "other", "first")


def monthly(cents: int) -> Budgets:
    return Budgets(month=Budget(cents * CENT, finish=cents * CENT))


def spend(scene: Scene, name: str, cents: int, edition: EditionKey = DEMO) -> None:
    hand = scene.worker(edition)
    hand.render(costing(name, cents), milliseconds=cents * SECONDS_FOR_A_CENT * 1000)
    hand.close()


def test_a_month_of_a_campaign_counts_all_its_editions(ledger: Ledger):
    scene = Scene(ledger, now=MARCH - timedelta(days=3))
    scene.admit([costing("a", 3)], budgets=monthly(5))
    spend(scene, "a", 3)
    told = scene.admit([costing("b", 3)], NEXT, budgets=monthly(5))
    assert told[0].reason == (
        "budget of 0.05 USD for campaign demo in 2026-03: 0.02 USD left, about 0.03 USD needed; "
        "may run from 2026-04-01 00:00 CEST, or raise budget_per_month and run it again"
    )
    assert told[0].may_run_at == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert scene.states([costing("b", 3)], OTHER) == {"b": "admitted"}, "another campaign"
    scene.now = MARCH
    assert scene.states([costing("b", 3)], NEXT, budgets=monthly(5)) == {"b": "refused"}
    scene.now += timedelta(hours=1)
    assert scene.states([costing("b", 3)], NEXT, budgets=monthly(5)) == {"b": "admitted"}
    books.check(ledger)


def test_a_month_of_a_tenant_counts_all_its_campaigns_and_nobody_elses(ledger: Ledger):
    acme, bolt = TENANTS
    paying = replace(acme, budget=Budget(5 * CENT, finish=5 * CENT))
    scene = Scene(ledger)
    configure(ledger, PLANS, [paying, bolt], now=scene.now)
    scene.admit([costing("a", 3)])
    spend(scene, "a", 3)
    told = scene.admit([costing("b", 1), costing("c", 2)], OTHER)
    assert [each.state for each in told] == ["admitted", "refused"]
    assert "budget of 0.05 USD for tenant acme in 2026-03: 0.01 USD left" in told[1].reason
    elsewhere = EditionKey("bolt", "bob", "demo", "first")
    assert scene.states([costing("c", 9)], elsewhere) == {"c": "admitted"}
    configure(ledger, PLANS, [replace(acme, budget=Budget(9 * CENT)), bolt], now=scene.now)
    assert scene.states([costing("b", 1), costing("c", 2)], OTHER)["c"] == "admitted"
    books.check(ledger)


def test_what_waits_in_one_edition_is_not_there_for_another(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit([costing("a", 3)], budgets=monthly(5))
    assert scene.states([costing("b", 3)], NEXT, budgets=monthly(5)) == {"b": "refused"}
    scene.admit([], budgets=monthly(5))
    assert scene.states([costing("b", 3)], NEXT, budgets=monthly(5)) == {"b": "admitted"}
    books.check(ledger)


def test_all_budgets_stand_where_each_does(ledger: Ledger):
    """However many they are, they are asked for in as many questions."""
    scene = Scene(ledger)
    acme, bolt = TENANTS
    configure(ledger, PLANS, [replace(acme, budget=Budget(9 * CENT)), bolt], now=scene.now)
    both = Budgets(Budget(7 * CENT), Budget(8 * CENT))
    asked: list[str] = []
    each: tuple[BudgetStanding, ...] = ()
    found: tuple[BudgetStanding, ...] = ()
    for edition, (paid, waits) in {DEMO: "ab", NEXT: "cd", OTHER: "ef"}.items():
        scene.admit([costing(paid, 2), costing(waits, 1)], edition, budgets=both)
        spend(scene, paid, 2, edition)
        with ledger.look("acme") as looking:
            paid_of = binding(looking, edition, scene.now)
            each = tuple(with_reserved(looking, standing) for standing in paid_of)
        with counting(ledger, asked):
            found = standings_of(ledger, "acme", scene.now - timedelta(days=9), now=scene.now)
        assert set(each) <= set(found)
    assert sum(len(standing.key.edition) > 0 for standing in found) == 3
    assert [standing.used for standing in each] == [9 * CENT, 3 * CENT, 3 * CENT]
    assert len(asked) == 3 * 4


@contextmanager
def counting(ledger: Ledger, asked: list[str]) -> Iterator[None]:
    """What the ledger is asked meanwhile."""

    def ask(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", ask)
    yield
    event.remove(ledger.engine, "before_cursor_execute", ask)


def test_an_hour_of_many_gpus_is_counted_after_days(ledger: Ledger):
    """Their GPU time times a price is more than 64 bits hold."""
    scene = Scene(ledger)
    publish_prices(ledger, [Price("b200", 10_000_000, scene.now)], now=scene.now)
    scene.admit(THREE[:1], budgets=Budgets(edition=Budget(10**9 * CENT)))
    place = WorkerPlace("run", "step", "b200", 8)
    worker = open_worker(ledger, DEMO, place, now=scene.now)
    scene.now += timedelta(days=3, minutes=6)
    heartbeat(ledger, DEMO.tenant, worker, (), now=scene.now)
    (standing,) = standings_of(ledger, "acme", scene.now - timedelta(days=9), now=scene.now)
    assert standing.paid == 8 * 721 * 1_000_000


def test_what_runs_is_stopped_only_where_the_budget_says_so(ledger: Ledger):
    scene = Scene(ledger)
    stopping = Budgets(edition=Budget(4 * CENT, finish=4 * CENT, stop=5 * CENT))
    scene.admit(THREE[:1], budgets=stopping)
    hand = scene.worker()
    lease = hand.lease(THREE[0], seconds=10**6)
    for cents, stopped in ((4, False), (1, True)):
        hand.spend("denoise", cents * SECONDS_FOR_A_CENT * 1000, lease)
        hand.beat()
        assert bool(stopped_by_budget(ledger, DEMO, now=scene.now)) is stopped
    assert stopped_by_budget(ledger, DEMO, now=scene.now) == (
        "The budget for edition demo/first stops what runs at 0.05 USD, and 0.05 USD were paid. "
        "Raise budget_usd or budget.usd and run it again: it goes on from the last checkpoint."
    )
    scene.admit(THREE[:1], budgets=of_edition(9))
    assert not stopped_by_budget(ledger, DEMO, now=scene.now)


def test_each_threshold_is_told_once(ledger: Ledger):
    scene = Scene(ledger)
    budget = Budget(4 * CENT, notify=(2 * CENT, 3 * CENT, 2 * CENT), finish=4 * CENT)
    scene.admit([costing("a", 2)], budgets=Budgets(month=budget))

    def told() -> list[str]:
        standings = standings_of(ledger, "acme", scene.now - timedelta(days=9), now=scene.now)
        found = note_reached(ledger, "acme", standings, now=scene.now)
        return [notice.told for notice in found]

    assert told() == [
        "The budget for campaign demo in 2026-03 reached 0.02 USD: 0 USD paid, 0.02 USD reserved."
    ]
    assert told() == []
    spend(scene, "a", 5)
    assert told() == [
        "The budget for campaign demo in 2026-03 reached 0.03 USD: 0.05 USD paid, 0 USD reserved.",
        "The budget for campaign demo in 2026-03 reached 0.04 USD: 0.05 USD paid, 0 USD reserved; "
        "what runs is finished, and nothing more is begun that exceeds it.",
    ]
    scene.now += timedelta(days=31)
    assert told() == [], "another month, of which nothing is gone"
    assert [each.at for each in notices(ledger, "acme")] == [2 * CENT, 3 * CENT, 4 * CENT]


def test_what_was_charged_at_a_wrong_price_counts_at_the_right_one(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit([costing("a", 4)], budgets=monthly(5))
    spend(scene, "a", 4)
    assert scene.states([costing("b", 2)], NEXT, budgets=monthly(5)) == {"b": "refused"}
    half = Rerating(
        Selection(tenant="acme"), PRICE // 2, decided_by="root", reason="a typing error"
    )
    rerate(ledger, half, now=scene.now)
    assert scene.states([costing("b", 2)], NEXT, budgets=monthly(5)) == {"b": "admitted"}
    (standing,) = standings_of(ledger, "acme", scene.now, now=scene.now)
    assert (standing.paid, standing.reserved) == (2 * CENT, 2 * CENT)
    books.check(ledger)
