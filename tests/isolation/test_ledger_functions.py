"""Through no public function of the ledger does one tenant read, change or hold up another.

Every function that is given a ledger stands in one of the lists below, or a test fails: those of
`ATTACKS` are called on a tenant's account with names of another's things; those of `HOUSE` are for
who runs the house, and those of `SHARED` know no tenants.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.isolation.surface import functions_of
from tests.isolation.world import SECRET, THIEF, VICTIM, World, build, rows_of
from tests.ledger.scenes import CHANGE, ERROR, PLACE, REPORT, files, shots
from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.errors import WanError
from wan_pipelines.ledger import (
    budget_notices,
    budget_previews,
    budget_refusals,
    budget_rows,
    budget_sums,
    descents,
    editions,
    forecasts,
    leases,
    limit_changes,
    lineage,
    quotas,
    reports,
    reviews,
    takes,
    tenants,
    turns,
    workers,
)
from wan_pipelines.ledger.budgets import NO_BUDGETS
from wan_pipelines.ledger.charges import Spent
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.forecasts import Forecast
from wan_pipelines.ledger.reports.descent_rows import degraded_takes
from wan_pipelines.ledger.reports.spending_rows import (
    edition_spending,
    paid_between,
    posted,
    spending,
)

ME, RUN = THIEF.tenant, PLACE.run_id
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def other_files(world: World) -> tuple[RenditionFile, ...]:
    """Names of the victim's files, to be kept as the thief's own."""
    return files(world.take_id, VICTIM.tenant)


ATTACKS: dict[str, Callable[[World], Any]] = {
    "budget_notices.note_reached": lambda w: budget_notices.note_reached(
        w.ledger,
        ME,
        budget_rows.standings_of(w.ledger, ME, SINCE, now=w.scene.now),
        now=w.scene.now,
    ),
    "budget_notices.notices": lambda w: budget_notices.notices(w.ledger, ME),
    "budget_previews.standing_before": lambda w: budget_previews.standing_before(
        w.ledger, replace(VICTIM, tenant=ME), NO_BUDGETS, now=w.scene.now
    ),
    "budget_refusals.admissible_again": lambda w: budget_refusals.admissible_again(
        w.ledger, replace(VICTIM, tenant=ME), NO_BUDGETS, now=w.scene.now
    ),
    "budget_refusals.refuse_beyond_budget": lambda w: budget_refusals.refuse_beyond_budget(
        w.ledger, replace(VICTIM, tenant=ME), now=w.scene.now
    ),
    "budget_rows.standings_of": lambda w: budget_rows.standings_of(
        w.ledger, ME, SINCE, now=w.scene.now
    ),
    "budget_sums.edition_paid": lambda w: budget_sums.edition_paid(w.ledger, THIEF),
    "descents.degradation_of": lambda w: descents.degradation_of(w.ledger, ME),
    "editions.admit": lambda w: editions.admit(
        w.ledger, THIEF, shots("same", "running", "mine"), now=w.scene.now
    ),
    "editions.edition_shots": lambda w: editions.edition_shots(w.ledger, THIEF),
    "editions.all_editions": lambda w: editions.all_editions(w.ledger, ME, VICTIM.campaign),
    "editions.latest_edition": lambda w: editions.latest_edition(w.ledger, ME, VICTIM.campaign),
    "forecasts.keep_forecasts": lambda w: forecasts.keep_forecasts(
        w.ledger, THIEF, [Forecast("r", "t", "g", 1, 1.0, 0.5, 2.0, 80, 0)], now=w.scene.now
    ),
    "forecasts.outcomes": lambda w: forecasts.outcomes(w.ledger, ME, edition=VICTIM),
    "leases.stopped_by_budget": lambda w: leases.stopped_by_budget(
        w.ledger, THIEF, now=w.scene.now
    ),
    "leases.lease_shot": lambda w: leases.lease_shot(
        w.ledger, THIEF, w.lease.render_key, w.hand.id, lease_seconds=60, now=w.scene.now
    ),
    "leases.renew_lease": lambda w: leases.renew_lease(
        w.ledger, w.stolen, lease_seconds=60, now=w.scene.now
    ),
    "leases.release_lease": lambda w: leases.release_lease(w.ledger, w.stolen, now=w.scene.now),
    "limit_changes.change_limit": lambda w: limit_changes.change_limit(
        w.ledger, replace(CHANGE, tenant=ME, user=VICTIM.user)
    ),
    "limit_changes.limit_changes": lambda w: limit_changes.limit_changes(w.ledger, ME),
    "lineage.trace": lambda w: lineage.trace(w.ledger, ME, w.take_id),
    "lineage.owners": lambda w: lineage.owners(w.ledger, ME, w.take_id),
    "quotas.quota_left": lambda w: quotas.quota_left(w.ledger, ME, VICTIM.user, now=w.scene.now),
    "quotas.quotas_left": lambda w: quotas.quotas_left(w.ledger, ME, VICTIM.user, now=w.scene.now),
    "reports.cost_rows.run_costs": lambda w: reports.run_costs(w.ledger, ME, edition=VICTIM),
    "reports.cost_rows.cost_totals": lambda w: reports.cost_totals(
        w.ledger, "user", ME, campaign=VICTIM.campaign
    ),
    "reports.descent_rows.degraded_takes": lambda w: degraded_takes(
        w.ledger, ME, [w.render_key, w.lease.render_key]
    ),
    "reports.edition_totals.edition_totals": lambda w: reports.edition_totals(w.ledger, THIEF),
    "reports.edition_views.edition_shots_view": lambda w: reports.edition_shots_view(
        w.ledger, THIEF
    ),
    "reports.edition_views.take_charges": lambda w: reports.take_charges(w.ledger, THIEF),
    "reports.spending_rows.spending": lambda w: list(
        spending(w.ledger, ME, SINCE, UNTIL, detail="take")
    ),
    "reports.spending_rows.edition_spending": lambda w: edition_spending(w.ledger, THIEF),
    "reports.spending_rows.paid_between": lambda w: paid_between(w.ledger, ME, SINCE, UNTIL),
    "reports.spending_rows.posted": lambda w: posted(w.ledger, ME, SINCE, UNTIL),
    "reports.video_rows.videos": lambda w: reports.videos(w.ledger, ME, VICTIM.campaign),
    "reports.video_rows.output_files": lambda w: reports.output_files(w.ledger, ME),
    "reports.video_rows.files_of_shots": lambda w: reports.files_of_shots(
        w.ledger, ME, [w.render_key]
    ),
    "reports.worker_rows.working_workers": lambda w: reports.working_workers(w.ledger, ME),
    "reviews.review": lambda w: reviews.review(
        w.ledger, ME, "a text", "rejected", decided_by="bob", now=w.scene.now
    ),
    "reviews.reviews_of": lambda w: reviews.reviews_of(w.ledger, ME, [SECRET[::-1]]),
    "reviews.all_reviews": lambda w: reviews.all_reviews(w.ledger, ME),
    "reviews.held_shots": lambda w: reviews.held_shots(w.ledger, ME),
    "takes.accept_take": lambda w: takes.accept_take(
        w.ledger, w.stolen, REPORT, other_files(w), now=w.scene.now
    ),
    "takes.fail_take": lambda w: takes.fail_take(w.ledger, w.stolen, ERROR, now=w.scene.now),
    "takes.add_renditions": lambda w: takes.add_renditions(
        w.ledger, ME, w.take_id, other_files(w), now=w.scene.now
    ),
    "takes.forget_outputs": lambda w: takes.forget_outputs(
        w.ledger, ME, w.render_key, "spite", take_id=w.take_id, now=w.scene.now
    ),
    "tenants.users_of": lambda w: tenants.users_of(w.ledger, ME),
    "turns.line_up": lambda w: turns.line_up(w.ledger, THIEF, RUN, (), now=w.scene.now),
    "turns.gpu_class_of": lambda w: turns.gpu_class_of(w.ledger, THIEF, RUN, "shard-1"),
    "turns.line": lambda w: turns.line(w.ledger, ME, now=w.scene.now),
    "workers.open_worker": lambda w: workers.open_worker(w.ledger, THIEF, PLACE, now=w.scene.now),
    "workers.heartbeat": lambda w: workers.heartbeat(
        w.ledger, ME, w.hand.id, [Spent("denoise", 10**9, w.take_id)], now=w.scene.now
    ),
    "workers.close_worker": lambda w: workers.close_worker(
        w.ledger, ME, w.hand.id, now=w.scene.now
    ),
    "workers.last_paid": lambda w: workers.last_paid(w.ledger, ME, PLACE.run_id, PLACE.step_key),
}
HOUSE = {
    "audits.discrepancies",
    "corrections.rerate",
    "corrections.corrections",
    "expiry.expire_reservations",
    "idle.charge_idle",
    "idle.idle_days",
    "reconciliation.reconciling.reconcile",
    "reconciliation.spending.spending",
    "reports.gauge_rows.ledger_gauges",
    "reports.overheads.worker_overheads",
    "reports.paces.paces",
    "reports.video_rows.newest_files",
    "tenants.configure",
    "turns.end_turns",
    "turns.forget_turns",
    "turns.must_move",
    "turns.renew_turns",
    "turns.take_turns",
    "workers.close_lost_workers",
    "workers.give_up",
    "workers.open_takes",
    "workers.open_workers",
}
SHARED = {
    "artifacts.artifact_for",
    "artifacts.latest_artifact",
    "artifacts.sign_off",
    "footholds.claim_probe",
    "footholds.foothold",
    "footholds.footholds",
    "footholds.set_foothold",
    "invoices.book.import_invoice",
    "invoices.book.known_invoices",
    "invoices.book.lines_between",
    "invoices.book.withdraw_invoice",
    "prices.declared_price",
    "prices.known_price",
    "prices.price_at",
    "prices.price_periods",
    "prices.publish_prices",
    "reports.spending_rows.idle_spending",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, migrated_ledger: Path) -> Iterator[World]:
    file = tmp_path_factory.mktemp("isolation") / "ledger.db"
    file.write_bytes(migrated_ledger.read_bytes())
    with Ledger.open(file) as ledger:
        yield build(ledger)


def test_every_function_of_the_ledger_is_accounted_for():
    assert functions_of("ledger", Ledger).keys() == ATTACKS.keys() | HOUSE | SHARED
    assert not ATTACKS.keys() & HOUSE
    assert not (ATTACKS.keys() | HOUSE) & SHARED


@pytest.mark.parametrize("name", ATTACKS)
def test_a_tenant_neither_reads_nor_changes_what_is_anothers(world: World, name: str):
    before = rows_of(world.ledger, VICTIM.tenant)
    try:
        told = repr(ATTACKS[name](world))
    except WanError as error:
        told = str(error).replace(world.hand.id, "").replace(world.take_id, "")  # as it was asked
        told = told.replace(world.lease.take_id, "")
    assert not [secret for secret in world.secrets if secret in told]
    assert rows_of(world.ledger, VICTIM.tenant) == before


def test_what_a_tenant_is_told_is_its_own(world: World):
    assert rows_of(world.ledger, VICTIM.tenant)["takes"], "there is something to be stolen"
    assert reports.videos(world.ledger, VICTIM.tenant)
    assert reports.videos(world.ledger, ME) == ()
    (edition,) = editions.all_editions(world.ledger, ME)
    assert edition == THIEF


def test_a_tenants_shot_is_not_held_up_by_the_same_of_another(world: World):
    """Acme renders one and has rendered the other: bolt gets a lease on both, and pays for both."""
    scene = world.scene
    wanted = shots("same", "running", "mine")
    decided = scene.admit(wanted, THIEF)
    assert {(each.state, each.rendered) for each in decided} == {("admitted", False)}
    hand = scene.worker(THIEF)
    before = rows_of(world.ledger, VICTIM.tenant)
    for each in wanted:
        hand.render(each)
    assert hand.close() > 0
    assert rows_of(world.ledger, VICTIM.tenant) == before
    (run,) = reports.run_costs(world.ledger, ME)
    assert run.accepted_takes == len(wanted)


def test_a_tenant_who_spends_all_leaves_another_as_much(world: World):
    scene = world.scene
    (before,) = (quotas.quota_left(world.ledger, "acme", "ada", now=scene.now),)
    spent = [f"bolt-{number}" for number in range(9)]
    states = scene.states(shots(*spent), replace(THIEF, edition="greedy"))
    assert "refused" in states.values()
    assert quotas.quota_left(world.ledger, "acme", "ada", now=scene.now) == before
    assert scene.states(shots("more"), replace(VICTIM, edition="more")) == {"more": "admitted"}


def test_upkeep_of_the_house_gives_up_nobodys_work_but_the_silents(world: World):
    """A tenant's dead worker is closed without a word to another's."""
    scene = world.scene
    silent = scene.worker(THIEF).id
    scene.later(minutes=30)
    world.hand.beat()
    closed = workers.close_lost_workers(world.ledger, now=scene.now, grace=timedelta(minutes=5))
    assert silent in closed
    assert world.hand.id not in closed
