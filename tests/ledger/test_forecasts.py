"""Forecasts of editions beside what they took."""

from dataclasses import replace

import pytest

from tests.ledger.scenes import DEMO, ERROR, REPORT, Scene, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.forecasts import Forecast, accuracy, keep_forecasts, outcomes
from wan_pipelines.ledger.records import StageMicroseconds
from wan_pipelines.ledger.takes import fail_take
from wan_pipelines.ledger.whose import House

SAID = Forecast("wan-tiny", "draft", "laptop-cpu", 2, 4.0, 3.0, 6.0, 80, 12)


def taking(seconds: float):
    stages = StageMicroseconds(text=0, denoise_high=round(seconds * 1e6), denoise_low=0, decode=0)
    return replace(REPORT, stages=stages)


def test_a_forecast_is_judged_once_all_its_shots_are_rendered(ledger: Ledger):
    scene = Scene(ledger)
    first, second = wanted = shots("a", "b")
    scene.admit(wanted)
    keep_forecasts(ledger, DEMO, [SAID], now=scene.now)
    hand = scene.worker()
    hand.render(first, report=taking(2.0))
    (found,) = outcomes(ledger, "acme")
    assert (found.edition, found.forecast) == ("first", SAID)
    assert (found.rendered, found.state, found.actual_seconds) == (1, "open", 2.0)
    assert accuracy([found]) == ()
    hand.render(second, report=taking(3.0))
    (found,) = outcomes(ledger, "acme", edition=DEMO)
    assert (found.state, found.held) == ("ended", True)
    assert found.error == pytest.approx(0.25)


def test_what_is_rendered_after_a_later_admission_is_the_later_ones(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("a", "b"))
    keep_forecasts(ledger, DEMO, [SAID], now=scene.now)
    hand = scene.worker()
    for candidate in shots("a", "b"):
        hand.render(candidate, report=taking(2.0))
    scene.later(minutes=1)
    hand.beat()
    scene.admit(shots("a", "b", "c"))
    keep_forecasts(ledger, DEMO, [replace(SAID, shots=1, seconds=2.0)], now=scene.now)
    hand.render(shots("c")[0], report=taking(9.0))
    later, earlier = outcomes(ledger, "acme")
    assert (earlier.actual_seconds, earlier.held) == (4.0, True)
    assert (later.actual_seconds, later.held) == (9.0, False)
    (judged,) = accuracy([later, earlier])
    assert (judged.release, judged.tier, judged.ended) == ("wan-tiny", "draft", 2)
    assert (judged.held, judged.percent) == (0.5, 80)
    assert judged.bias == judged.error == pytest.approx((9 / 2 - 1) / 2)


def test_an_admission_that_is_repeated_before_it_is_rendered_is_forecast_once(ledger: Ledger):
    scene = Scene(ledger)
    said = replace(SAID, shots=1)
    for _ in range(2):
        scene.admit(shots("a"))
        keep_forecasts(ledger, DEMO, [said], now=scene.now)
        scene.later(minutes=1)
    scene.worker().render(shots("a")[0], report=taking(4.0))
    (found,) = outcomes(ledger, "acme")
    assert (found.state, found.held) == ("ended", True)
    keep_forecasts(ledger, DEMO, [said], now=scene.now)
    assert len(outcomes(ledger, "acme")) == 2


def test_a_forecast_is_given_up_with_the_last_shot_that_waits(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("a", "b"))
    keep_forecasts(ledger, DEMO, [SAID], now=scene.now)
    hand = scene.worker()
    states: list[str] = []
    for candidate in shots("a", "b"):
        fail_take(ledger, hand.lease(candidate), ERROR, now=scene.now)
        states += [each.state for each in outcomes(ledger, "acme")]
    assert states == ["open", "given_up"]


def test_forecasts_are_a_tenants(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots("a"))
    keep_forecasts(ledger, DEMO, [SAID], now=scene.now)
    assert outcomes(ledger, "bolt") == ()
    assert [found.tenant for found in outcomes(ledger, House("metrics"))] == ["acme"]
    with pytest.raises(LedgerError, match="no edition"):
        keep_forecasts(ledger, replace(DEMO, tenant="bolt"), [SAID], now=scene.now)
