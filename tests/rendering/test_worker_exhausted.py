"""When memory or time gives out the worker makes way for a fresh process, and says what to do."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from tests.rendering.memory_book import MemoryBook
from tests.rendering.stage import QUICK, RELEASE, Stage, SteppedClock, assert_tiled, raises, shots
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.errors import EngineError, ExhaustionKind
from wan_pipelines.rendering.checkpoints import StoredCheckpoints
from wan_pipelines.rendering.ladders import NextTry
from wan_pipelines.rendering.takes import Take
from wan_pipelines.storage import FolderStore

MEMORY = MemoryError("Unable to allocate 9 TiB")
BROKEN = torch.AcceleratorError("CUDA error: unspecified launch failure")
DOWN, NO_RUNG = "It is tried on rung low.", "There is no rung below."


@dataclass
class TwoRungs:
    """A ladder with one rung below the top, which draws with another seed."""

    fallen: bool = False
    told: list[tuple[str, str]] = field(default_factory=list)

    def footing(self, shot: Shot) -> Footing:
        if not self.fallen:
            return Footing(shot.request)
        return Footing(replace(shot.request, seed=99), ("low",))

    def held(self, shot: Shot, footing: Footing) -> None:
        self.told.append((shot.name, f"held {footing.name}"))

    def gave_out(self, shot: Shot, footing: Footing, kind: ExhaustionKind) -> NextTry:
        self.told.append((shot.name, f"{kind} {footing.name}"))
        goes_on, self.fallen = not self.fallen, True
        return NextTry(goes_on, DOWN if goes_on else NO_RUNG)


def stage_with(ladder: TwoRungs, **how: object) -> Stage:
    return Stage(settings=replace(QUICK, ladders=ladder), **how)  # pyright: ignore


def at(step: int, error: BaseException) -> Callable[[int], None]:
    def hook(number: int) -> None:
        if number == step:
            raise error

    return hook


def failed(stage: Stage) -> list[Take]:
    return [take for take in stage.book.ended if take.outcome == "failed"]


@pytest.mark.parametrize(
    ("error", "step", "kind", "where"),
    [
        (MEMORY, 0, "memory", "text"),
        (MEMORY, 1, "memory", "denoise_high"),
        (torch.OutOfMemoryError("Tried to allocate 2.00 GiB."), 3, "memory", "switch"),
        (
            torch.AcceleratorError("CUDA error: unspecified launch failure"),
            4,
            "device",
            "denoise_low",
        ),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), -1, "memory", "decode"),
    ],
    ids=["text", "denoise_high", "switch", "denoise_low", "decode"],
)
def test_a_shot_is_left_to_a_fresh_process_on_the_rung_below(
    error: BaseException, step: int, kind: str, where: str
) -> None:
    ladder = TwoRungs()
    stage = stage_with(ladder, hooks={"b": at(step, error)})
    report = stage.render(shots("a", "b", "c"))
    assert (report.exhausted, report.failed, report.unfinished) == (True, (), ("b", "c"))
    assert report.fell == {"b": DOWN}
    assert ladder.told == [("a", "held "), ("b", f"{kind} ")]
    (take,) = failed(stage)
    assert (take.exhausted, take.error_stage) == (kind, where)
    assert take.error_message == f"{error} {DOWN}"
    assert not stage.book.shelf.leases
    assert_tiled(stage.book.spans)

    stage.hooks.clear()
    report = stage.render(shots("a", "b", "c"))
    assert (report.exhausted, report.unfinished, report.reused) == (False, (), ("a",))
    (_, second) = [take for take in stage.book.ended if take.render_key == take_key(stage, "b")]
    assert second.footing
    assert (second.footing.rungs, second.footing.request.seed) == (("low",), 99)


def take_key(stage: Stage, name: str) -> str:
    return shots(name)[0].render_key


def test_where_there_is_no_rung_below_the_shot_fails_and_the_others_go_on_afresh() -> None:
    ladder = TwoRungs(fallen=True)
    stage = stage_with(ladder, hooks={"a": raises(MEMORY)})
    report = stage.render(shots("a", "b"))
    assert (report.exhausted, report.failed, report.unfinished) == (True, ("a",), ("b",))
    assert failed(stage)[0].error_message.endswith(NO_RUNG)
    assert stage.render(shots("b")).unfinished == ()


@pytest.mark.parametrize("wrapped", [False, True])
def test_no_memory_to_load_is_a_take_of_its_own(wrapped: bool) -> None:
    error: Exception = MEMORY
    if wrapped:
        error = EngineError("The files do not load.")
        error.__cause__ = MEMORY
    ladder = TwoRungs()
    stage = stage_with(ladder, load=raises(error))
    report = stage.render(shots("a", "b"))
    assert (report.exhausted, report.unfinished) == (True, ("a", "b"))
    (take,) = failed(stage)
    assert (take.error_stage, take.exhausted, take.engine) == ("load", "memory", "")
    assert not stage.book.shelf.leases


def test_a_shot_that_takes_too_long_has_timed_out() -> None:
    time, ladder = SteppedClock(), TwoRungs()
    stage = stage_with(ladder, hooks={"a": lambda step: time.advance(1.0)})
    report = stage.render(shots("a"), shot_seconds=lambda shot: 2.5, clock=time.clock)
    assert report.exhausted
    (take,) = failed(stage)
    assert (take.exhausted, take.error_stage, take.steps) == ("time", "switch", 2)
    assert take.error_message.startswith("Not done after 2.5 s, at step 2 of 4.")


def test_an_engine_that_is_loaded_otherwise_takes_the_place_of_the_one_before() -> None:
    ladder = TwoRungs()
    ladder.footing = lambda shot: Footing(
        shot.request, offload="model" if shot.name == "b" else None
    )
    stage = stage_with(ladder)
    assert stage.render(shots("a", "b", "c", "d")).unfinished == ()
    assert stage.loads == 3


def test_what_was_done_until_memory_gave_out_is_kept(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    stage = stage_with(TwoRungs(), hooks={"a": at(-1, MEMORY)})
    stage.render(
        shots("a"), checkpoints=StoredCheckpoints(store, "kept/"), checkpoint_seconds=600.0
    )
    (take,) = failed(stage)
    assert take.checkpoint.saved_steps == 4
    assert len(list(store.list())) == 1


def test_a_worker_without_ladders_fails_the_shot() -> None:
    stage = Stage(hooks={"a": raises(MEMORY)}, book=MemoryBook())
    report = stage.render(shots("a", "b"))
    assert (report.exhausted, report.failed, report.unfinished) == (True, ("a",), ("b",))
    assert failed(stage)[0].release == RELEASE.name
    assert failed(stage)[0].error_message == str(MEMORY)
