"""kill -9 of a worker at any moment: the next one takes over at once and makes what is missing."""

import signal
from random import Random

import pytest

from tests.ledger import books
from tests.survival.scenes import PROMPTS, Scene, accepted

MOMENTS = [0.85 * Random(seed).random() for seed in range(10)]
"""Fractions of a worker's life; a busy machine's has some heartbeats fewer than the counted one."""


@pytest.mark.parametrize("moment", MOMENTS, ids="{:.2f}".format)
def test_killed_at_a_random_moment(scene: Scene, moments: int, moment: float) -> None:
    die_and_recover(scene, int(moment * moments) + 1)


@pytest.mark.parametrize("moment", MOMENTS[:2], ids="{:.2f}".format)
def test_killed_at_a_random_moment_on_postgresql(
    postgres_scene: Scene, moments: int, moment: float
) -> None:
    die_and_recover(postgres_scene, int(moment * moments) + 1)


def die_and_recover(scene: Scene, die_at: int) -> None:
    """A lease lasts ten minutes here: nobody waits for one of a worker that is dead."""
    hand = scene.begin(scene.shard(), "first", die_at=die_at)
    assert hand.ended() == -signal.SIGKILL
    before = books.accepted_takes(scene.studio.ledger).total()
    answers = scene.run()
    assert before + accepted(answers) == len(PROMPTS)
    scene.check()


def test_killed_again_and_again(scene: Scene, moments: int) -> None:
    random = Random(1)
    for life in range(3):
        hand = scene.begin(scene.shard(), f"life-{life}", die_at=random.randint(1, moments // 2))
        hand.ended()
    scene.run()
    scene.check()


def test_a_retried_step_takes_over_before_it_waits(scene: Scene) -> None:
    """The step of the same run and name, as Dagster repeats it when its process was killed."""
    shard = scene.shard()
    first = scene.begin(shard, wait_at=PROMPTS[0])
    first.until_it_waits()
    first.kill()
    answer = scene.begin(shard).answer()
    assert answer.summary["accepted"] == len(PROMPTS)
    assert answer.summary["seconds"]["wait"] < 60
    scene.publish()
    scene.check()


def test_a_dead_worker_is_paid_until_its_last_sign_of_life(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), wait_at=PROMPTS[1])
    hand.until_it_waits()
    hand.kill()
    scene.run()
    studio = scene.studio
    paid = books.paid_and_charged(studio.ledger)
    assert all(amount > 0 for amount, _ in paid.values())
    scene.check()
