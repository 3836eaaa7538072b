"""A worker is killed, or its supervisor is: another goes on, and every second is paid once."""

import os
import signal
from itertools import pairwise
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from tests.ledger import books
from tests.survival.hands import PATIENCE_SECONDS, Hand
from tests.survival.scenes import PROMPTS, Scene, accepted
from tests.survival.soak import wait_until
from wan_pipelines.ledger.tables import WorkerRow
from wan_pipelines.ledger.whose import House
from wan_pipelines.ledger.workers import open_workers
from wan_pipelines.processes import host_name

WORKERS = {"count": 1, "threads": 1, "lease_seconds": 600}


@pytest.fixture
def scene(scene: Scene) -> Scene:
    scene.project.environment(workers=WORKERS)
    return scene


def paid_times(scene: Scene) -> list[tuple[int, int]]:
    """From when until when each worker was paid, in microseconds, in order."""
    query = select(WorkerRow.started_at, WorkerRow.ended_at).order_by(WorkerRow.started_at)
    with scene.studio.ledger.read(House("audit")) as session:
        rows = session.execute(query).all()
    assert all(ended is not None for _, ended in rows)
    return [(started, ended or 0) for started, ended in rows]


def assert_paid_without_gap(scene: Scene, workers: int) -> None:
    times = paid_times(scene)
    assert len(times) == workers
    assert all(before[1] == after[0] for before, after in pairwise(times))


def worker_of(scene: Scene, hand: Hand) -> psutil.Process:
    """The process that renders for a hand."""
    (worker,) = open_workers(scene.studio.ledger, host_name())
    assert worker.pid != hand.pid
    return psutil.Process(worker.pid)


def begun(scene: Scene, **errand: Any) -> Hand:
    """A supervised worker in the middle of the second of three shots; the first is accepted."""
    hand = scene.begin(scene.shard(), supervised=True, wait_at=PROMPTS[1], **errand)
    hand.until_it_waits()
    wait_until(lambda: books.accepted_takes(scene.studio.ledger).total() == 1)
    return hand


def finish(scene: Scene) -> None:
    scene.publish()
    scene.check()


def test_a_worker_that_is_killed_is_replaced_and_the_shard_ends_as_if_nothing_were(
    scene: Scene,
) -> None:
    hand = begun(scene)
    worker_of(scene, hand).kill()
    hand.go_on()
    answer = hand.answer()
    assert (answer.summary["accepted"], answer.summary["left"]) == (3, [])
    assert "The worker died, killed by SIGKILL. Shots that are left: 2." in answer.said
    finish(scene)
    assert_paid_without_gap(scene, workers=2)


def test_a_worker_notices_that_its_supervisor_was_killed(scene: Scene) -> None:
    hand = begun(scene)
    worker = worker_of(scene, hand)
    hand.kill()
    hand.go_on()
    gone, alive = psutil.wait_procs([worker], PATIENCE_SECONDS)
    assert (gone, alive) == ([worker], [])
    assert accepted(scene.run()) == 2
    scene.check()
    assert len(paid_times(scene)) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_wish_to_stop_reaches_the_worker(scene: Scene, number: signal.Signals) -> None:
    hand = begun(scene, seconds_per_step=1.0)
    worker = worker_of(scene, hand)
    os.kill(hand.pid, number)
    hand.go_on()
    answer = hand.answer()
    left = len(answer.summary["left"])
    assert (answer.error, answer.summary["accepted"]) == ("", 3 - left)
    assert left >= 1, "it went on to the end"
    assert not worker.is_running()
    assert_paid_without_gap(scene, workers=1)
    assert accepted(scene.run()) == left
    scene.check()


def test_a_fresh_process_goes_on_after_so_many_videos(scene: Scene) -> None:
    scene.project.environment(workers={**WORKERS, "recycle_after_videos": 1})
    answer = scene.begin(scene.shard(), supervised=True).answer()
    assert (answer.summary["accepted"], answer.summary["left"]) == (3, [])
    finish(scene)
    assert_paid_without_gap(scene, workers=3)


def test_a_shard_whose_workers_keep_dying_fails_and_keeps_what_it_has(scene: Scene) -> None:
    scene.project.environment(workers={**WORKERS, "restarts": 1})
    answer = scene.begin(scene.shard(), supervised=True, dies_at=PROMPTS[2]).answer()
    assert answer.error == "WorkerDied"
    assert "died 2 times, the last one killed by SIGKILL" in answer.message
    kept = books.accepted_takes(scene.studio.ledger).total()
    assert f"Shots without a video: {3 - kept}." in answer.message
    assert kept + accepted(scene.run()) == 3
    scene.check()


def test_errors_of_a_worker_are_those_of_its_shard(scene: Scene) -> None:
    shard = scene.shard()
    scene.project.release(boundary_ratio=0.5)
    answer = scene.begin(shard, supervised=True).answer()
    assert answer.error == "EngineError"
    assert "was changed after these shots were admitted" in answer.message


def test_a_worker_that_hangs_inside_a_step_is_killed_and_its_shot_fails(scene: Scene) -> None:
    limits = {"times_estimate": 1, "at_least_seconds": 4, "grace_seconds": 0.5}
    scene.project.environment(workers=WORKERS, deadlines=limits)
    hand = scene.begin(scene.shard(), supervised=True, wait_at=PROMPTS[1])
    answer = hand.answer()
    assert (answer.summary["accepted"], answer.summary["left"]) == (2, [])
    assert answer.summary["failed"] == [hung_shot(scene)]
    (words,) = scene.errors()
    assert "The worker hung and was killed: nothing happened for 4 s after step 0 of 2." in words
    assert_paid_without_gap(scene, workers=2)
    hand.go_on()
    assert accepted(scene.run()) == 1
    scene.check()


def hung_shot(scene: Scene) -> str:
    """The one that fails, by name."""
    (failed,) = [s.shot for s in scene.views() if s.outcome == "failed"]
    return failed
