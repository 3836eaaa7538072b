"""No two workers render or pay for the same shot, even when one was thought dead."""

from datetime import datetime, timedelta
from threading import Event

import pytest

from tests.rendering.stage import Stage, assert_tiled, outcomes, shots
from wan_pipelines.rendering.takes import Take

A, B = shots("a", "b")


def lost_takes(stage: Stage) -> list[Take]:
    return [take for take in stage.book.ended if take.outcome == "lost"]


def wait_for_heartbeats(stage: Stage, count: int) -> None:
    """Until that many more have begun; all but the last are through."""
    goal = stage.book.beats + count
    for _ in range(1000):
        if stage.book.beats >= goal:
            return
        Event().wait(0.01)
    raise AssertionError("the heart stands still")


def test_a_lease_lost_while_rendering_ends_the_render_within_a_step() -> None:
    stage = Stage()
    steps: list[int] = []

    def lose_at_one(step: int) -> None:
        steps.append(step)
        if step == 1:
            other = stage.book.shelf.steal(A.render_key)
            wait_for_heartbeats(stage, 2)
            stage.book.shelf.accept(other, ("theirs.mp4",))

    stage.hooks["a"] = lose_at_one
    report = stage.render([A, B])
    assert steps == [0, 1]
    (take,) = lost_takes(stage)
    assert (take.render_key, take.steps, take.error_stage) == (A.render_key, 1, "denoise")
    assert report.reused == ("a",), "the other worker has made it meanwhile"
    assert outcomes(report) == {A.render_key: "lost", B.render_key: "accepted"}
    assert stage.book.shelf.files[A.render_key] == ("theirs.mp4",)
    assert_tiled(stage.book.spans)


def test_a_lease_lost_before_publication_drops_the_take() -> None:
    stage = Stage()
    stage.tails["a"] = lambda: stage.book.shelf.accept(
        stage.book.shelf.steal(A.render_key), ("theirs.mp4",)
    )
    report = stage.render([A, B])
    (take,) = lost_takes(stage)
    assert take.error_stage == "publish"
    assert report.reused == ("a",)
    assert stage.book.shelf.files[A.render_key] == ("theirs.mp4",)


def test_footage_whose_lease_is_lost_while_it_waits_is_not_encoded() -> None:
    stage = Stage()

    def lose_b(step: int) -> None:
        if step == 4:
            stage.book.shelf.accept(stage.book.shelf.steal(B.render_key), ("theirs.mp4",))

    stage.hooks["b"] = lose_b
    stage.tails["a"] = lambda: wait_for_heartbeats(stage, 3)
    report = stage.render([A, B])
    assert stage.encoded == ["a"]
    assert report.reused == ("b",)


def test_a_shot_is_rendered_here_after_all_when_the_thief_dies() -> None:
    stage = Stage()

    def die_after_stealing() -> None:
        del stage.tails["a"]
        stage.book.shelf.steal(A.render_key, seconds=0.05)

    stage.tails["a"] = die_after_stealing
    report = stage.render([A])
    assert [take.outcome for take in report.takes] == ["lost", "accepted"]
    assert report.reused == ()
    assert stage.book.shelf.accepted == {A.render_key: report.takes[1].id}


def test_busy_shots_are_left_for_the_end_and_reused_when_they_are_there() -> None:
    stage = Stage()
    theirs = stage.book.shelf.steal(A.render_key)
    stage.tails["b"] = lambda: stage.book.shelf.accept(theirs, ("theirs.mp4",))
    report = stage.render([A, B])
    assert stage.engine.rendered == ["b"]
    assert report.reused == ("a",)
    assert report.busy == ()


def test_a_busy_shot_whose_worker_is_gone_is_rendered_when_the_lease_ends() -> None:
    stage = Stage()
    stage.book.shelf.steal(A.render_key, seconds=0.5)
    report = stage.render([A, B])
    assert stage.engine.rendered == ["b", "a"]
    assert report.seconds["wait"] > 0
    assert_tiled(stage.book.spans)


def test_patience_with_others_is_bounded() -> None:
    stage = Stage()
    stage.book.shelf.steal(A.render_key)
    report = stage.render([A, B], busy_patience_seconds=0.05)
    assert report.busy == ("a",)
    assert [take.outcome for take in report.takes] == ["accepted"]


def test_waiting_for_others_needs_no_engine() -> None:
    stage = Stage()
    stage.book.shelf.steal(A.render_key)
    stage.render([A], busy_patience_seconds=0.05)
    assert stage.loads == 0
    assert {span.kind for span in stage.book.spans} <= {"idle", "wait"}


def test_a_long_render_and_a_long_encode_keep_their_leases() -> None:
    stage = Stage()
    stage.hooks["a"] = lambda step: wait_for_heartbeats(stage, 2)
    stage.tails["a"] = lambda: wait_for_heartbeats(stage, 2)
    leases: list[datetime] = []
    stage.book.faults["accept"] = lambda key: leases.append(stage.book.shelf.leases[key].expires_at)
    report = stage.render([A])
    (take,) = report.takes
    assert take.outcome == "accepted"
    assert leases[0] > take.ended_at + timedelta(seconds=stage.book.lease_seconds)


@pytest.mark.parametrize("kind", ["lost", "accepted"])
def test_nothing_is_renewed_after_a_take_has_ended(kind: str) -> None:
    stage = Stage()
    if kind == "lost":
        stage.tails["a"] = lambda: stage.book.shelf.accept(stage.book.shelf.steal(A.render_key), ())
    counts: list[int] = []

    def count(step: int) -> None:
        if step == 0:
            Event().wait(0.05)
            counts.append(stage.book.renewed.count(A.render_key))
            Event().wait(0.1)
            counts.append(stage.book.renewed.count(A.render_key))

    stage.hooks["b"] = count
    stage.render([A, B])
    assert counts[0] == counts[1]


def test_a_shot_that_is_not_wanted_any_more_is_passed_over() -> None:
    stage = Stage()
    stage.book.declined[A.render_key] = "withdrawn"
    report = stage.render([A, B])
    assert stage.engine.rendered == ["b"]
    assert report.declined == {"a": "withdrawn"}
    assert report.unfinished == ("a",)
    assert report.failed == ()


def test_a_shot_that_is_withdrawn_while_another_worker_has_it_is_waited_for_no_longer() -> None:
    stage = Stage()
    stage.book.shelf.steal(A.render_key)
    stage.tails["b"] = lambda: stage.book.declined.update({A.render_key: "withdrawn"})
    report = stage.render([A, B], busy_patience_seconds=60)
    assert report.busy == ()
    assert report.declined == {"a": "withdrawn"}
