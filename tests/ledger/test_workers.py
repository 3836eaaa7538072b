from datetime import timedelta
from socket import gethostname

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.ledger import books
from tests.ledger.scenes import DEMO, Scene, shots
from wan_pipelines.errors import LeaseLost, LedgerError
from wan_pipelines.ledger.charges import Spent
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import edition_shots_view, run_costs, working_workers
from wan_pipelines.ledger.tables import ChargeRow, SpanRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.ledger.workers import (
    Position,
    WorkerPlace,
    close_lost_workers,
    close_worker,
    give_up,
    heartbeat,
    last_paid,
    open_worker,
    open_workers,
)
from wan_pipelines.processes import process_name

GRACE = timedelta(minutes=2)


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    scene = Scene(ledger)
    scene.admit(shots("a", "b"))
    return scene


def charges(scene: Scene) -> dict[tuple[str | None, str], tuple[int, int]]:
    """GPU milliseconds and micro-dollars by take and kind."""
    query = select(
        ChargeRow.take_id, ChargeRow.kind, ChargeRow.gpu_microseconds, ChargeRow.micro_usd
    )
    with scene.ledger.read(House("audit")) as session:
        rows = session.execute(query).all()
    return {(take, kind): (time // 1000, money) for take, kind, time, money in rows}


def test_a_worker_is_paid_from_start_to_end(scene: Scene):
    hand = scene.worker()
    lease = hand.lease(shots("a")[0])
    hand.spend("load", 1000)
    hand.spend("denoise", 3000, lease)
    hand.accept(lease)
    scene.later(milliseconds=500)  # nobody said what for
    assert hand.close() == 4500
    take = lease.take_id
    assert charges(scene) == {
        (take, "load"): (1000, 1000),
        (take, "denoise"): (3000, 3000),
        (take, "idle"): (500, 500),
    }
    with scene.ledger.read(House("audit")) as session:
        assert session.execute(select(func.count()).select_from(SpanRow)).scalar_one() == 0


def test_time_before_the_ledger_was_opened_is_paid_as_well(scene: Scene):
    born = scene.now - timedelta(seconds=5)
    worker = open_worker(
        scene.ledger, DEMO, WorkerPlace("r", "s", "laptop-cpu"), now=scene.now, started_at=born
    )
    assert close_worker(scene.ledger, "acme", worker, now=scene.now) == 5000


def test_several_gpus_cost_several_times_as_much(scene: Scene):
    place = WorkerPlace("r", "s", "laptop-cpu", gpu_count=4)
    hand = scene.worker(place=place)
    hand.spend("load", 1000)
    assert hand.close() == 4000
    assert charges(scene) == {(None, "load"): (4000, 4000)}


def test_closing_twice_pays_once(scene: Scene):
    hand = scene.worker()
    hand.spend("idle", 1000)
    assert hand.close() == 1000
    scene.later(hours=1)
    assert hand.close() == 1000
    books.check(scene.ledger)


def test_a_closed_worker_does_nothing_more(scene: Scene):
    hand = scene.worker()
    hand.close()
    with pytest.raises(LedgerError, match="is not open in the ledger"):
        hand.lease(shots("a")[0])
    with pytest.raises(LedgerError, match="is not open in the ledger"):
        hand.beat()


def test_a_killed_worker_is_paid_until_its_last_sign_of_life(scene: Scene):
    candidate = shots("a")[0]
    hand = scene.worker()
    hand.spend("load", 1000)
    hand.beat()
    lease = hand.lease(candidate, seconds=3600)
    scene.later(seconds=3)
    hand.beat()
    scene.later(minutes=3)
    assert close_lost_workers(scene.ledger, now=scene.now, grace=GRACE) == (hand.id,)
    assert charges(scene) == {
        (lease.take_id, "load"): (1000, 1000),
        (lease.take_id, "lost"): (3000, 3000),
    }
    other = scene.worker()
    other.render(candidate)
    with pytest.raises(LeaseLost):
        hand.accept(lease)
    other.close()
    books.check(scene.ledger)


def test_workers_that_give_signs_of_life_are_left_alone(scene: Scene):
    hand = scene.worker()
    scene.later(minutes=2)
    assert close_lost_workers(scene.ledger, now=scene.now, grace=GRACE) == ()
    hand.lease(shots("a")[0])
    scene.later(minutes=2)
    assert close_lost_workers(scene.ledger, now=scene.now, grace=GRACE) == ()


def test_a_worker_that_only_slept_goes_on_and_is_paid_for_all_of_it(scene: Scene):
    a, b = shots("a", "b")
    hand = scene.worker()
    lease = hand.lease(a)
    scene.later(hours=1)
    assert close_lost_workers(scene.ledger, now=scene.now, grace=GRACE) == (hand.id,)
    with pytest.raises(LeaseLost):
        hand.accept(lease)
    hand.render(b, 1000)
    assert hand.close() == 3_601_000
    books.check(scene.ledger)


def test_takes_that_still_run_when_their_worker_ends_are_free_again(scene: Scene):
    candidate = shots("a")[0]
    hand = scene.worker()
    hand.lease(candidate, seconds=3600)
    hand.close()
    assert edition_shots_view(scene.ledger, DEMO)[0].outcome == "abandoned"
    scene.worker().render(candidate)
    books.check(scene.ledger)


def test_workers_known_to_be_dead_are_given_up_at_once(scene: Scene):
    hand = scene.worker()
    lease = hand.lease(shots("a")[0])
    (found,) = open_workers(scene.ledger, gethostname())
    assert (found.id, found.tenant, found.process) == (hand.id, "acme", process_name())
    give_up(scene.ledger, [hand.id], now=scene.now)
    assert open_workers(scene.ledger, gethostname()) == ()
    with pytest.raises(LeaseLost):
        hand.accept(lease)


def test_a_worker_needs_an_edition_and_a_price(scene: Scene):
    with pytest.raises(LedgerError, match="has no edition demo/never"):
        scene.worker(EditionKey("acme", "ada", "demo", "never"))
    with pytest.raises(LedgerError, match="no on-demand price for GPU class 'h100'"):
        scene.worker(place=WorkerPlace("r", "s", "h100"))


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    spans=st.lists(
        st.tuples(
            st.sampled_from(["load", "denoise", "wait"]),
            st.integers(0, 10**10),
            st.booleans(),
            st.sampled_from(["report", "beat", "sleep", "lost"]),
        ),
        max_size=12,
    ),
    gpus=st.integers(1, 8),
)
def test_a_runs_charges_are_gpus_times_wall_time_times_price(
    scene: Scene, spans: list[tuple[str, int, bool, str]], gpus: int
):
    run_id = f"run-{scene.now.timestamp()}"
    began = scene.later(seconds=1)
    hand = scene.worker(place=WorkerPlace(run_id, "s", "laptop-cpu", gpu_count=gpus))
    take = hand.ask(shots("a")[0], seconds=10**6)
    take_id = getattr(take, "take_id", None)
    for kind, microseconds, of_take, event in spans:
        scene.later(microseconds=microseconds)
        if event == "sleep":
            continue
        span = Spent(kind, microseconds, take_id if of_take else None)
        heartbeat(scene.ledger, "acme", hand.id, [span], now=scene.now)
        if event == "lost":
            give_up(scene.ledger, [hand.id], now=scene.now)
    hand.close()
    elapsed = (scene.now - began) // timedelta(microseconds=1)
    (run,) = run_costs(scene.ledger, "acme", run_id=run_id)
    assert run.paid_micro_usd == run.charged_micro_usd == (gpus * elapsed + 500) // 1000
    assert run.gpu_microseconds == gpus * elapsed


def test_a_worker_says_where_it_is_with_its_sign_of_life(scene: Scene):
    hand = scene.worker()
    lease = hand.lease(shots("b")[0])
    since = scene.now
    scene.later(milliseconds=1500)
    position = Position(lease.take_id, 3, 8, since)
    heartbeat(scene.ledger, "acme", hand.id, now=scene.now, position=position)
    (found,) = working_workers(scene.ledger, "acme")
    assert (found.shot, found.step, found.steps) == (shots("b")[0].name, 3, 8)
    assert found.last_step_age_seconds == 1.5
    assert working_workers(scene.ledger, "bolt") == ()
    hand.close()
    assert working_workers(scene.ledger, House("operator")) == ()


def test_until_when_a_step_is_paid_is_when_its_last_worker_ended(scene: Scene):
    assert last_paid(scene.ledger, "acme", "run", "step") is None
    place = WorkerPlace("run", "step", "laptop-cpu")
    for _ in range(2):
        hand = scene.worker(place=place)
        scene.later(milliseconds=500)
        hand.close()
        assert last_paid(scene.ledger, "acme", "run", "step") == scene.now
    scene.worker(place=place)
    scene.later(milliseconds=500)
    assert last_paid(scene.ledger, "acme", "run", "step") == scene.now - timedelta(seconds=0.5)
