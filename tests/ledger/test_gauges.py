from datetime import timedelta

from tests.ledger.scenes import ERROR, Scene, shots
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reports import ClassGauges, LedgerGauges, TakeCount, ledger_gauges
from wan_pipelines.ledger.takes import fail_take
from wan_pipelines.ledger.workers import Position, heartbeat


def test_an_empty_ledger_has_no_figures(ledger: Ledger):
    assert ledger_gauges(ledger, now=Scene(ledger).now) == LedgerGauges((), (), ())


def test_takes_workers_money_and_what_waits_are_told(ledger: Ledger):
    scene = Scene(ledger)
    a, b, c = shots("a", "b", "c")
    scene.admit([a, b, c])
    ended = scene.worker()
    ended.render(a, milliseconds=1500)
    fail_take(ledger, ended.lease(b), ERROR, now=scene.now)
    ended.close()
    at_work = scene.worker()
    lease = at_work.lease(b)
    position = Position(lease.take_id, 2, 4, scene.now)
    heartbeat(ledger, "acme", at_work.id, now=scene.later(seconds=10), position=position)
    assert ledger_gauges(ledger, now=scene.now + timedelta(seconds=5)) == LedgerGauges(
        takes=(
            TakeCount("", "laptop-cpu", "running", 1),
            TakeCount("wan-tiny", "laptop-cpu", "accepted", 1),
            TakeCount("wan-tiny", "laptop-cpu", "failed", 1),
        ),
        classes=(
            ClassGauges(
                "laptop-cpu",
                paid_micro_usd=1500,
                workers=1,
                longest_silence_seconds=5.0,
                oldest_step_seconds=15.0,
            ),
        ),
        waiting_shots=(("acme", 2),),
    )
