"""What a scheduler remembers is kept whole: compared with what its steps really change."""

from typing import Any

import pytest

from tests.engines.denoisings import scene
from wan_pipelines.engines.denoising import Denoising
from wan_pipelines.engines.solver_history import (
    always_there,
    history_of,
    history_shapes,
    restore_history,
)

SOLVERS = ["unipc", "euler"]


def attributes(scheduler: Any) -> dict[str, Any]:
    """All that it knows, in comparable form."""
    return {name: comparable(value) for name, value in vars(scheduler).items()}


def comparable(value: Any) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        return (str(value.dtype), value.tolist())
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return value


def advanced(run: Denoising, steps: int) -> Denoising:
    import torch

    with torch.no_grad():
        for _ in range(steps):
            run.advance()
    return run


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("steps", range(1, 7))
def test_a_restored_scheduler_knows_what_the_first_one_knew(
    tiny_pipeline: Any, solver: str, steps: int
) -> None:
    made = scene(tiny_pipeline, solver)
    first, second = advanced(made.begin(), steps), made.begin()
    assert attributes(first.scheduler) != attributes(second.scheduler)
    restore_history(second.scheduler, history_of(first.scheduler))
    assert attributes(first.scheduler) == attributes(second.scheduler)


@pytest.mark.parametrize("solver", SOLVERS)
def test_names_and_shapes_are_known_beforehand(tiny_pipeline: Any, solver: str) -> None:
    run = scene(tiny_pipeline, solver).begin()
    expected = history_shapes(run.scheduler, tuple(run.latents.shape))
    advanced(run, 3)
    history = history_of(run.scheduler)
    assert {name: tuple(tensor.shape) for name, tensor in history.items()} == expected
    assert always_there(run.scheduler) <= history.keys()
