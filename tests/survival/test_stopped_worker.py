"""SIGTERM and Ctrl-C: a worker ends within seconds, and gives back what it has begun."""

import signal
import time

import pytest

from tests.ledger import books
from tests.survival.hands import Hand
from tests.survival.scenes import PROMPTS, Scene, accepted

STOP_SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_a_worker_that_is_told_to_stop_gives_its_shots_back(
    scene: Scene, number: signal.Signals
) -> None:
    hand = scene.begin(scene.shard(), "stopped", wait_at=PROMPTS[1], seconds_per_step=0.01)
    hand.until_it_waits()
    hand.send(number)
    began = time.monotonic()
    hand.go_on()
    answer = hand.answer()
    assert time.monotonic() - began < 30
    assert answer.error == ""
    assert (answer.summary["accepted"], len(answer.summary["left"])) == (1, 2)
    books.check(scene.studio.ledger)
    assert accepted(scene.run()) == 2
    scene.check()


def test_a_worker_that_is_told_to_stop_is_paid_no_longer(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "stopped", wait_at=PROMPTS[0])
    stop(hand)
    (paid,) = books.paid_and_charged(scene.studio.ledger).values()
    scene.publish()
    (later,) = books.paid_and_charged(scene.studio.ledger).values()
    assert paid == later
    assert paid[0] == paid[1]


def stop(hand: Hand) -> None:
    hand.until_it_waits()
    hand.send(signal.SIGTERM)
    hand.go_on()
    hand.answer()
