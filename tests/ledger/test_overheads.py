"""What the ledger tells estimates about workers as such."""

import pytest

from tests.ledger.scenes import Scene, shots
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports.overheads import worker_overheads


def test_it_is_what_was_not_rendering_per_worker(ledger: Ledger):
    scene = Scene(ledger)
    wanted = shots("red", "blue", "green")
    scene.admit(wanted)
    for load, candidates in ((3000, wanted[:2]), (5000, wanted[2:])):
        hand = scene.worker()
        hand.spend("load", load)
        for candidate in candidates:
            hand.render(candidate, 1000)
        hand.close()
    assert worker_overheads(ledger, "laptop-cpu", 1) == {"wan-tiny": pytest.approx(4.0)}
    assert worker_overheads(ledger, "laptop-cpu", 2) == {}


def test_a_worker_that_still_works_tells_nothing(ledger: Ledger):
    scene = Scene(ledger)
    (red,) = shots("red")
    scene.admit((red,))
    hand = scene.worker()
    hand.spend("load", 3000)
    hand.render(red, 1000)
    assert worker_overheads(ledger, "laptop-cpu", 1) == {}
