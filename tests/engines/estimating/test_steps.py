"""The split of steps over the experts."""

from wan_pipelines.engines.estimating.jobs import Steps
from wan_pipelines.engines.estimating.steps import steps_of
from wan_pipelines.engines.requests import Sampling


def sampling(steps: int, shift: float, scheduler: str = "unipc", guidance: float = 2.0) -> Sampling:
    return Sampling(steps, guidance, 1.0, shift, scheduler, 512)


def test_the_distilled_tier_splits_in_halves() -> None:
    assert steps_of(sampling(4, 5.0, guidance=1.0), 0.875) == Steps(2, 2, 1)


def test_a_larger_shift_gives_the_high_noise_expert_more_steps() -> None:
    split = [steps_of(sampling(40, shift), 0.875) for shift in (3.0, 5.0, 12.0)]
    assert [steps.high for steps in split] == sorted({steps.high for steps in split})
    assert {steps.total for steps in split} == {40}


def test_guidance_of_the_first_expert_doubles_the_forwards_of_both() -> None:
    assert steps_of(sampling(4, 5.0, guidance=1.01), 0.875).forwards == 2
    assert steps_of(sampling(4, 5.0, guidance=1.0), 0.875).forwards == 1


def test_without_a_boundary_there_is_one_expert() -> None:
    assert steps_of(sampling(6, 5.0), None) == Steps(6, 0, 2)
