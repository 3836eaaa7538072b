"""The timesteps told without torch are those that diffusers visits."""

from dataclasses import replace
from itertools import product

import pytest

from wan_pipelines.engines.requests import Sampling
from wan_pipelines.engines.schedulers import make_scheduler
from wan_pipelines.engines.timesteps import timesteps

CONFIG = {"num_train_timesteps": 1000}
SAMPLING = Sampling(4, 1.0, 1.0, 5.0, "unipc", 512)


@pytest.mark.parametrize("solver", ["unipc", "euler"])
def test_as_diffusers_visits_them(solver: str) -> None:
    for steps, shift in product((1, 2, 3, 4, 8, 12, 20, 40, 50), (1.0, 3.0, 5.0, 8.5, 12.0)):
        sampling = replace(SAMPLING, steps=steps, flow_shift=shift, scheduler=solver)
        scheduler = make_scheduler(CONFIG, sampling)
        scheduler.set_timesteps(steps)
        # A float32 just below a whole number is told as that number by one and not by the other.
        visited = [float(step) for step in scheduler.timesteps]
        assert len(visited) == steps
        assert all(
            told == int(real) or abs(real - round(real)) < 1e-3
            for told, real in zip(timesteps(sampling), visited, strict=True)
        ), (steps, shift)


def test_four_distilled_steps() -> None:
    assert timesteps(SAMPLING) == (999, 937, 833, 625)
    assert timesteps(replace(SAMPLING, scheduler="euler")) != (999, 937, 833, 625)
