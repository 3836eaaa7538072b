"""A worker that is told to stop ends what runs, begins nothing new, and gives its leases back."""

import os
import signal
import time
from threading import Event, Thread

import pytest

from tests.rendering.stage import Stage, assert_tiled, outcomes, shots
from wan_pipelines.errors import QuotaExceeded
from wan_pipelines.rendering.signals import stop_on_signals

A, B, C = shots("a", "b", "c")


def test_a_render_is_cancelled_within_one_step() -> None:
    stage = Stage()
    steps: list[int] = []

    def stop_at_two(step: int) -> None:
        steps.append(step)
        if step == 2:
            stage.stop.set()

    stage.hooks["b"] = stop_at_two
    report = stage.render([A, B, C])
    assert steps == [0, 1, 2]
    assert outcomes(report) == {A.render_key: "accepted", B.render_key: "cancelled"}
    assert report.stopped
    assert report.unfinished == ("b", "c")
    assert report.failed == ()
    assert not stage.book.shelf.leases
    assert stage.engine.rendered == ["a", "b"]
    assert_tiled(stage.book.spans)


def test_footage_that_is_there_is_still_published() -> None:
    stage = Stage()
    stopped = Event()

    def encode_slowly() -> None:
        assert stopped.wait(10)
        Event().wait(0.05)

    def stop(step: int) -> None:
        stage.stop.set()
        stopped.set()

    stage.tails["a"] = encode_slowly
    stage.hooks["b"] = stop
    report = stage.render([A, B])
    assert outcomes(report)[A.render_key] == "accepted"
    assert A.render_key in stage.book.shelf.accepted


def test_the_next_worker_takes_up_at_once_what_was_given_back() -> None:
    stage = Stage()
    stage.hooks["a"] = lambda step: stage.stop.set()
    stage.render([A, B])
    stage.stop.clear()
    stage.hooks.clear()
    report = stage.render([A, B])
    assert outcomes(report) == {A.render_key: "accepted", B.render_key: "accepted"}


def test_stopped_before_it_began_it_does_nothing() -> None:
    stage = Stage()
    stage.stop.set()
    report = stage.render([A, B])
    assert report.unfinished == ("a", "b")
    assert stage.loads == 0


def test_stopped_while_the_engine_loads_it_gives_the_lease_back() -> None:
    stage = Stage()
    stage.load = stage.stop.set
    report = stage.render([A, B])
    assert stage.engine.rendered == []
    assert len(stage.book.released) == 1
    assert stage.book.ended == []
    assert report.unfinished == ("a", "b")


def test_stopped_while_it_waits_for_others_it_returns_at_once() -> None:
    stage = Stage()
    stage.book.shelf.steal(A.render_key)
    Thread(target=lambda: (Event().wait(0.1), stage.stop.set())).start()
    report = stage.render([A], busy_patience_seconds=60, busy_poll_seconds=60)
    assert report.busy == ("a",)
    assert report.stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_worker(number: signal.Signals) -> None:
    stage = Stage()
    stage.hooks["b"] = lambda step: os.kill(os.getpid(), number) if step == 1 else None
    before = signal.getsignal(number)
    with stop_on_signals(stage.stop):
        report = stage.render([A, B, C])
    assert report.unfinished == ("b", "c")
    assert signal.getsignal(number) is before


def test_a_shot_that_is_recalled_ends_at_its_next_step_though_nobody_told_the_worker() -> None:
    stage = Stage()
    why = "The budget stops what runs."
    recalls: list[str] = []

    def recall(key: str) -> None:
        if key == B.render_key:
            recalls.append(key)
            raise QuotaExceeded(why)

    def wait_for_the_second(step: int) -> None:
        if step == 2:
            stage.book.declined[C.render_key] = why
            stage.book.faults["renew"] = recall
            while len(recalls) < 2:
                time.sleep(0.01)

    stage.hooks["b"] = wait_for_the_second
    report = stage.render([A, B, C])
    assert outcomes(report) == {A.render_key: "accepted", B.render_key: "cancelled"}
    assert (report.unfinished, report.stopped) == (("b", "c"), False)
    assert report.declined == {"c": why}
    (take,) = [take for take in report.takes if take.render_key == B.render_key]
    assert (take.steps, take.error_message) == (2, why)
    assert not stage.book.shelf.leases
