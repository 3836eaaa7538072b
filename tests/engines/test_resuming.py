"""A render that goes on in a fresh process draws what an uninterrupted one draws, bit for bit."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engines.memory_keeper import MemoryKeeper
from tests.engines.resumer import engine_of, rendered, request_of
from wan_pipelines.engines.reference import ReferenceEngine

ROOT = Path(__file__).parents[2]
SOLVERS = ("unipc", "euler")


@pytest.fixture(scope="module")
def engine(tiny_folder: Path) -> ReferenceEngine:
    return engine_of(tiny_folder)


@pytest.fixture(scope="module")
def whole(engine: ReferenceEngine) -> dict[str, tuple[str, dict[int, bytes]]]:
    """By solver: the frames of an uninterrupted render, and its checkpoints by step."""
    found: dict[str, tuple[str, dict[int, bytes]]] = {}
    for solver in SOLVERS:
        keeper = MemoryKeeper()
        found[solver] = (rendered(engine, solver, keeper), keeper.offered)
    return found


def test_from_every_step_in_a_fresh_process(
    whole: dict[str, tuple[str, dict[int, bytes]]], tiny_folder: Path, tmp_path: Path
) -> None:
    for solver, (_, checkpoints) in whole.items():
        assert list(checkpoints) == [1, 2, 3, 4, 5, 6]
        for step, data in checkpoints.items():
            (tmp_path / f"{solver}-{step}").write_bytes(data)
    (tmp_path / "unipc-damaged").write_bytes(whole["unipc"][1][3][:-1])
    results = _resumed_elsewhere(tiny_folder, tmp_path)
    damaged = results.pop("unipc-damaged")
    assert damaged["resumed_at"] is None
    assert damaged["frames"] == whole["unipc"][0], "it starts over"
    assert "damaged or incomplete" in damaged["refusal"]
    assert len(results) == 12
    for name, result in results.items():
        solver, _, step = name.partition("-")
        assert (result["refusal"], result["resumed_at"]) == ("", int(step)), name
        assert result["frames"] == whole[solver][0], name


def _resumed_elsewhere(weights: Path, checkpoints: Path) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-m", "tests.engines.resumer", str(weights), str(checkpoints)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    results = [json.loads(line) for line in run.stdout.splitlines()]
    return {result["name"]: result for result in results}


def test_only_the_steps_that_are_left_are_done_and_told(
    engine: ReferenceEngine, whole: dict[str, tuple[str, dict[int, bytes]]]
) -> None:
    keeper, seen = MemoryKeeper(whole["unipc"][1][4]), list[int]()
    request = request_of(engine, "unipc")
    footage = engine.render(request, lambda step, steps: seen.append(step), keeper)
    assert seen == [4, 5, 6]
    assert footage.steps == 2
    assert list(keeper.offered) == [5, 6]
    assert footage.stages.denoise_high == 0.0
    assert footage.stages.denoise_low > 0.0


def test_checkpoints_of_another_shot_are_refused(
    engine: ReferenceEngine, whole: dict[str, tuple[str, dict[int, bytes]]]
) -> None:
    keeper = MemoryKeeper(whole["unipc"][1][4])
    assert rendered(engine, "euler", keeper) == whole["euler"][0]
    assert "another render key" in keeper.refusal


def test_a_checkpoint_is_smaller_than_the_engine_says(
    whole: dict[str, tuple[str, dict[int, bytes]]], engine: ReferenceEngine
) -> None:
    for solver, (_, checkpoints) in whole.items():
        keeper = MemoryKeeper()
        rendered(engine, solver, keeper)
        assert max(map(len, checkpoints.values())) <= keeper.limit_bytes


def test_what_raises_between_steps_leaves_a_usable_checkpoint(
    engine: ReferenceEngine, whole: dict[str, tuple[str, dict[int, bytes]]]
) -> None:
    keeper = MemoryKeeper()

    def stop_at_two(step: int, steps: int) -> None:
        if step == 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        engine.render(request_of(engine, "unipc"), stop_at_two, keeper)
    again = MemoryKeeper(keeper.offered[2])
    assert rendered(engine, "unipc", again) == whole["unipc"][0]
    assert again.resumed_at == 2
