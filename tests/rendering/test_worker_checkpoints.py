"""A shot that was interrupted goes on where it was, on whatever worker comes next."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rendering.stage import QUICK, Stage, outcomes, raises, shots
from wan_pipelines.rendering.checkpoints import StoredCheckpoints
from wan_pipelines.rendering.reports import ShardReport
from wan_pipelines.rendering.takes import CheckpointUse, Take
from wan_pipelines.storage import FolderStore

A, B = shots("a", "b")
EACH_STEP = 1e-9
NEVER = 1e9


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "checkpoints")


@pytest.fixture
def stage(store: FolderStore) -> Stage:
    checkpoints = StoredCheckpoints(store, "checkpoints/")
    return Stage(settings=replace(QUICK, checkpoints=checkpoints, checkpoint_seconds=NEVER))


def kept(store: FolderStore) -> list[str]:
    """Render keys."""
    return [Path(info.key).stem for info in store.list()]


def take_of_a(report: ShardReport) -> Take:
    (take,) = [take for take in report.takes if take.render_key == A.render_key]
    return take


def stopped_at_two(stage: Stage) -> ShardReport:
    """The worker is told to stop while the second step of shot a runs."""
    stage.hooks["a"] = lambda step: stage.stop.set() if step == 2 else None
    report = stage.render([A, B])
    stage.stop.clear()
    stage.hooks.clear()
    return report


def test_a_worker_that_is_told_to_stop_keeps_the_step_it_has_done(
    stage: Stage, store: FolderStore
) -> None:
    take = take_of_a(stopped_at_two(stage))
    assert (take.outcome, take.steps) == ("cancelled", 2)
    assert take.checkpoint == CheckpointUse(saved_steps=2)
    assert kept(store) == [A.render_key]


def test_the_next_worker_goes_on_and_tidies_up(stage: Stage, store: FolderStore) -> None:
    first = take_of_a(stopped_at_two(stage))
    steps: list[int] = []
    stage.hooks["a"] = steps.append
    report = stage.render([A, B])
    take = take_of_a(report)
    assert outcomes(report) == {A.render_key: "accepted", B.render_key: "accepted"}
    assert steps == [2, 3, 4, -1]
    assert (take.steps, take.checkpoint.resumed_steps) == (2, 2)
    assert kept(store) == []
    denoised = {span.take_id for span in stage.book.spans if span.kind == "denoise"}
    assert denoised >= {first.id, take.id}, "each attempt is charged its own time"


def test_a_shot_may_be_interrupted_again_and_again(stage: Stage, store: FolderStore) -> None:
    resumed: list[int] = []
    for _ in range(4):
        first: list[int] = []

        def stop_one_later(step: int, first: list[int] = first) -> None:
            first.append(step)
            if len(first) == 2:
                stage.stop.set()

        stage.hooks["a"] = stop_one_later
        resumed.append(take_of_a(stage.render([A])).checkpoint.resumed_steps)
        stage.stop.clear()
    stage.hooks.clear()
    assert resumed == [0, 1, 2, 3]
    take = take_of_a(stage.render([A]))
    assert (take.outcome, take.steps, take.checkpoint.resumed_steps) == ("accepted", 0, 4)
    assert kept(store) == []


def test_a_worker_that_was_killed_is_gone_on_from_its_last_checkpoint(
    stage: Stage, store: FolderStore
) -> None:
    """As after kill -9: nothing was said, nothing given back."""

    class Killed(BaseException):
        pass

    stage.hooks["a"] = lambda step: raises(Killed())() if step == 3 else None
    with pytest.raises(Killed):
        stage.render([A], checkpoint_seconds=EACH_STEP)
    stage.book.shelf.leases.clear()
    stage.hooks.clear()
    take = take_of_a(stage.render([A]))
    assert (take.outcome, take.checkpoint.resumed_steps) == ("accepted", 3)


def test_a_checkpoint_that_does_not_fit_is_reported_and_the_shot_starts_over(
    stage: Stage, store: FolderStore
) -> None:
    store.put_bytes(f"checkpoints/{A.render_key}.safetensors", b"something foreign")
    take = take_of_a(stage.render([A]))
    assert (take.outcome, take.steps) == ("accepted", 4)
    assert take.checkpoint.resumed_steps == 0
    assert take.checkpoint.refused == "it is not of this shot"
    assert kept(store) == []


def test_a_checkpoint_of_absurd_size_is_reported_and_not_read(
    stage: Stage, store: FolderStore
) -> None:
    store.put_bytes(f"checkpoints/{A.render_key}.safetensors", b"x" * 1_000_000)
    take = take_of_a(stage.render([A]))
    assert take.outcome == "accepted"
    assert "has 1000000 bytes" in take.checkpoint.refused


def test_a_shot_that_fails_after_it_was_resumed_starts_over_next_time(
    stage: Stage, store: FolderStore
) -> None:
    stopped_at_two(stage)
    stage.hooks["a"] = lambda step: raises(RuntimeError("bad state"))() if step == 3 else None
    assert take_of_a(stage.render([A])).outcome == "failed"
    assert kept(store) == []
    stage.hooks.clear()
    assert take_of_a(stage.render([A])).steps == 4


def test_a_shot_that_fails_the_first_time_keeps_its_checkpoint(
    stage: Stage, store: FolderStore
) -> None:
    stage.hooks["a"] = lambda step: raises(MemoryError("decoding"))() if step == -1 else None
    failed = take_of_a(stage.render([A], checkpoint_seconds=EACH_STEP))
    assert (failed.outcome, failed.checkpoint.saved_steps) == ("failed", 4)
    stage.hooks.clear()
    take = take_of_a(stage.render([A]))
    assert (take.outcome, take.steps) == ("accepted", 0)


def test_a_take_whose_lease_was_lost_leaves_the_checkpoint_of_its_successor_alone(
    stage: Stage, store: FolderStore
) -> None:
    def lose(step: int) -> None:
        stage.hooks.clear()
        stage.book.shelf.steal(A.render_key, seconds=0.2)
        time.sleep(0.1)

    stage.hooks["a"] = lose
    stage.render([A])
    lost = [take for take in stage.book.ended if take.outcome == "lost"]
    assert [take.checkpoint for take in lost] == [CheckpointUse()]


def test_a_disk_that_is_full_fails_no_shot(stage: Stage, store: FolderStore) -> None:
    store.root.write_bytes(b"a file where the folder should be")
    report = stage.render([A, B], checkpoint_seconds=EACH_STEP)
    assert set(outcomes(report).values()) == {"accepted"}
    assert "Cannot store" in take_of_a(report).checkpoint.unsaved


def test_without_checkpoints_a_shot_starts_over(store: FolderStore) -> None:
    stage = Stage()
    report = stopped_at_two(stage)
    assert take_of_a(report).checkpoint == CheckpointUse()
    assert take_of_a(stage.render([A])).steps == 4
