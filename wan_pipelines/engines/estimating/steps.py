"""How many steps each expert makes."""

from wan_pipelines.engines.estimating.jobs import Steps
from wan_pipelines.engines.requests import Sampling
from wan_pipelines.engines.timesteps import TRAINED_STEPS, timesteps


def steps_of(sampling: Sampling, boundary: float | None) -> Steps:
    """Steps at or above `boundary` are the high-noise expert's; without one, all are.

    Where the first expert is guided, both make two forwards a step.
    """
    forwards = 2 if sampling.guidance > 1 else 1
    if boundary is None:
        return Steps(sampling.steps, 0, forwards)
    high = sum(step >= boundary * TRAINED_STEPS for step in timesteps(sampling))
    return Steps(high, sampling.steps - high, forwards)
