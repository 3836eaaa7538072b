"""What the ledger tells estimates about takes."""

import pytest

from tests.ledger.scenes import REPORT, START, Scene, shot, shots
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.reports import paces as module
from wan_pipelines.ledger.reports.paces import Pace, paces


def test_accepted_takes_are_told_with_what_was_asked_for(ledger: Ledger):
    scene = Scene(ledger)
    red, blue = wanted = shots("red", "blue")
    scene.admit(wanted)
    hand = scene.worker()
    hand.render(red, 1000)
    hand.lease(blue)
    hand.close()
    engine = f"{REPORT.engine} {REPORT.fingerprint}"
    pace = Pace(red.request, 4, 1000, 1 << 20, hand.id, engine, to_micros(START))
    assert paces(ledger, "laptop-cpu", 1) == (pace,)
    assert paces(ledger, "laptop-cpu", 2) == ()
    assert paces(ledger, "h100", 1) == ()


def test_the_latest_come_first_and_their_number_is_bounded(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    scene = Scene(ledger)
    wanted = [shot(name) for name in ("one", "two", "three")]
    scene.admit(wanted)
    hand = scene.worker()
    for candidate in wanted:
        hand.render(candidate, 1000)
    prompts = [pace.request["prompt"] for pace in paces(ledger, "laptop-cpu", 1)]
    assert prompts == [candidate.request["prompt"] for candidate in reversed(wanted)]
    monkeypatch.setattr(module, "LATEST_TAKES", 2)
    assert len(paces(ledger, "laptop-cpu", 1)) == 2
    monkeypatch.setattr(module, "LATEST_WORKERS", 0)
    assert paces(ledger, "laptop-cpu", 1) == ()
