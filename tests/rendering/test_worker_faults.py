"""Whatever breaks, breaks one shot, or ends the shard with a clear error and full accounts."""

from threading import Event

import numpy as np
import pytest

from tests.rendering.stage import RELEASE, Stage, SteppedClock, assert_tiled, raises, shots
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Footage, Keeper, OnStep
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.errors import (
    EncodeError,
    EngineError,
    LedgerError,
    RenderError,
    StorageError,
    WeightsError,
)
from wan_pipelines.rendering.takes import Take


def failed_takes(stage: Stage) -> list[Take]:
    return [take for take in stage.book.ended if take.outcome == "failed"]


@pytest.mark.parametrize(
    ("error", "stage_name"),
    [
        (RenderError("not finite", stage="decode"), "decode"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "denoise"),
    ],
)
def test_a_shot_that_cannot_be_rendered_fails_alone(error: Exception, stage_name: str) -> None:
    def break_at_two(step: int) -> None:
        if step == 2:
            raise error

    stage = Stage(hooks={"b": break_at_two})
    report = stage.render(shots("a", "b", "c"))
    assert report.failed == ("b",)
    assert stage.encoded == ["a", "c"]
    (take,) = failed_takes(stage)
    assert (take.error_type, take.error_stage) == (type(error).__name__, stage_name)
    assert take.error_message == str(error)
    assert (take.steps, take.stages, take.seed) == (1, None, 7)
    assert not stage.book.shelf.leases


def test_text_that_cannot_be_encoded_is_told_apart() -> None:
    stage = Stage(hooks={"a": raises(ValueError("no such token"))})
    stage.render(shots("a"))
    assert failed_takes(stage)[0].error_stage == "text"


@pytest.mark.parametrize(
    ("error", "stage_name"),
    [
        (EncodeError("ffmpeg ended with 1"), "encode"),
        (StorageError("no space left on device"), "publish"),
        (OSError(28, "No space left on device"), "encode"),
    ],
)
def test_an_encoder_that_fails_fails_the_right_shot(error: Exception, stage_name: str) -> None:
    next_renders = Event()
    stage = Stage()

    def fail_late() -> None:
        assert next_renders.wait(10)
        raise error

    stage.tails["a"] = fail_late
    stage.hooks["b"] = lambda step: next_renders.set()
    report = stage.render(shots("a", "b"))
    assert report.failed == ("a",)
    (take,) = failed_takes(stage)
    assert (take.error_stage, take.error_message) == (stage_name, str(error))
    assert take.stages is not None, "its rendering was paid for and is known"
    assert len(stage.book.shelf.accepted) == 1


def test_failed_shots_are_rendered_again_by_the_next_run_and_no_others() -> None:
    stage = Stage(hooks={"b": raises(ValueError("once"))})
    stage.render(shots("a", "b", "c"))
    stage.hooks.clear()
    stage.engine.rendered.clear()
    report = stage.render(shots("a", "b", "c"))
    assert stage.engine.rendered == ["b"]
    assert report.reused == ("a", "c")


class SmallEngine(NullEngine):
    """Hands back fewer frames than it was asked for."""

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        footage = super().render(request, on_step, keeper)
        return Footage(np.copy(footage.frames[:-1]), footage.stages, footage.steps, 0)


def test_footage_of_the_wrong_shape_is_not_accepted() -> None:
    stage = Stage()
    stage.engine = SmallEngine(RELEASE)  # pyright: ignore[reportAttributeAccessIssue]
    report = stage.render(shots("a"))
    assert report.failed == ("a",)
    assert "(8, 64, 64, 3) instead of uint8 (9, 64, 64, 3)" in failed_takes(stage)[0].error_message


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("driver says no"), EngineError),
        (EngineError("does not load"), EngineError),
        (WeightsError("damaged"), WeightsError),
    ],
)
def test_an_engine_that_does_not_load_leaves_the_shots_untouched(
    error: Exception, expected: type[Exception]
) -> None:
    time = SteppedClock()
    stage = Stage()

    def load_badly() -> None:
        time.advance(7.0)
        raise error

    stage.load = load_badly
    with pytest.raises(expected, match=str(error)):
        stage.render(shots("a", "b"), clock=time.clock)
    assert stage.loads == 1
    assert stage.book.ended == []
    assert len(stage.book.released) == 1
    assert not stage.book.shelf.leases
    assert [(span.kind, span.nanoseconds) for span in stage.book.spans] == [("load", 7 * 10**9)]


@pytest.mark.parametrize("where", ["engine", "encoder"])
def test_shot_after_shot_failing_the_same_way_stops_the_shard(where: str) -> None:
    stage = Stage()
    names = [f"shot {number}" for number in range(10)]
    broken = stage.hooks if where == "engine" else stage.tails
    broken.update(dict.fromkeys(names, raises(StorageError("disk full"))))
    with pytest.raises(RenderError, match="shots in a row failed the same way") as caught:
        stage.render(shots(*names), tail_depth=1)
    assert "disk full" in str(caught.value)
    assert 3 <= len(failed_takes(stage)) <= 5
    assert not stage.book.shelf.leases
    assert_tiled(stage.book.spans)


def test_failures_of_different_kinds_do_not_stop_it() -> None:
    errors = [ValueError("1"), TypeError("2"), ValueError("3"), RenderError("4", stage="decode")]
    names = [f"shot {number}" for number in range(4)]
    hooks = {name: raises(error) for name, error in zip(names, errors, strict=True)}
    report = Stage(hooks=hooks).render(shots(*names))
    assert len(report.failed) == 4


def test_a_success_in_between_starts_the_count_again() -> None:
    bad = dict.fromkeys("1245", raises(ValueError("no")))
    report = Stage(hooks=bad).render(shots("1", "2", "3", "4", "5"))
    assert report.failed == ("1", "2", "4", "5")


def test_an_encoder_may_fail_while_renders_go_well_and_is_noticed_all_the_same() -> None:
    stage = Stage(tails=dict.fromkeys("abcdefghij", raises(OSError("disk full"))))
    with pytest.raises(RenderError, match="OSError at stage encode"):
        stage.render(shots(*"abcdefghij"), tail_depth=1)


def test_a_shard_that_is_through_reports_its_failures_without_an_error() -> None:
    stage = Stage(hooks=dict.fromkeys("abc", raises(ValueError("no"))))
    assert stage.render(shots("a", "b", "c")).failed == ("a", "b", "c")


@pytest.mark.parametrize("method", ["lease", "accept", "fail", "spent"])
def test_a_book_that_cannot_be_written_ends_the_shard(method: str) -> None:
    stage = Stage(hooks={"b": raises(ValueError("no"))})
    stage.book.faults[method] = raises(LedgerError("database is locked"))
    with pytest.raises(LedgerError, match="database is locked"):
        stage.render(shots("a", "b", "c"))


def test_a_render_is_not_finished_when_its_result_could_not_be_recorded() -> None:
    begun, refused = Event(), Event()
    stage = Stage()

    def refuse(key: str) -> None:
        refused.set()
        raise LedgerError("database is locked")

    steps: list[int] = []

    def slow(step: int) -> None:
        steps.append(step)
        begun.set()
        if step == 1:
            assert refused.wait(10)
            # The thread notes the error just after raising it.
            Event().wait(0.05)

    stage.tails["a"] = lambda: (begun.wait(10), None)[1]
    stage.book.faults["accept"] = refuse
    stage.hooks["b"] = slow
    with pytest.raises(LedgerError, match="database is locked"):
        stage.render(shots("a", "b", "c"))
    assert steps == [0, 1]
    assert stage.engine.rendered == ["a", "b"]


def test_finished_work_is_recorded_before_an_error_comes_out() -> None:
    stage = Stage()
    encoding = Event()

    def lease_fails_for_b(key: str) -> None:
        if key == shots("b")[0].render_key:
            assert encoding.wait(10)
            raise LedgerError("connection lost")

    def encode() -> None:
        encoding.set()
        Event().wait(0.05)

    stage.tails["a"] = encode
    stage.book.faults["lease"] = lease_fails_for_b
    with pytest.raises(LedgerError, match="connection lost"):
        stage.render(shots("a", "b"))
    assert len(stage.book.shelf.accepted) == 1
    assert_tiled(stage.book.spans)


def test_a_ledger_that_fails_the_encoder_is_not_blamed_on_the_shot() -> None:
    stage = Stage(tails={"a": raises(LedgerError("database is locked"))})
    with pytest.raises(LedgerError, match="database is locked"):
        stage.render(shots("a", "b"))
    assert failed_takes(stage) == []
