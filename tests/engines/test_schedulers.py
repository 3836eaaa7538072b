"""The timesteps that distilled weights and the two experts rely on."""

from dataclasses import replace

import pytest

from wan_pipelines.engines.requests import Sampling
from wan_pipelines.engines.schedulers import make_scheduler
from wan_pipelines.errors import RenderError

DRAFT = Sampling(4, 1.0, 1.0, 5.0, "unipc", 512)
CONFIG = {"num_train_timesteps": 1000}


def timesteps(sampling: Sampling) -> list[int]:
    scheduler = make_scheduler(CONFIG, sampling)
    scheduler.set_timesteps(sampling.steps)
    return [int(step) for step in scheduler.timesteps]


def test_four_steps_at_shift_five_are_those_of_the_distilled_loras() -> None:
    assert timesteps(DRAFT) == [999, 937, 833, 625]


def test_a_larger_shift_stays_longer_with_the_high_noise_expert() -> None:
    def high(shift: float) -> int:
        steps = timesteps(replace(DRAFT, steps=40, flow_shift=shift))
        return sum(step >= 875 for step in steps)

    assert high(12.0) > high(5.0) > high(1.0)


def test_euler_takes_its_shift() -> None:
    assert timesteps(replace(DRAFT, scheduler="euler"))[0] == 1000


def test_another_name_is_an_error() -> None:
    with pytest.raises(RenderError, match="'unipc' or 'euler'"):
        make_scheduler(CONFIG, replace(DRAFT, scheduler="dpm"))
