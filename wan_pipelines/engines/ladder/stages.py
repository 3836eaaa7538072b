"""Which stage of denoising a step belongs to."""

from typing import Literal

from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import Sampling
from wan_pipelines.engines.timesteps import TRAINED_STEPS, timesteps

DenoisingStage = Literal["denoise_high", "switch", "denoise_low"]


def denoising_stage(release: Release, sampling: Sampling, done: int) -> DenoisingStage:
    """The stage of the step after `done` steps; a long video does all of them for each segment.

    The switch is the first step of the low-noise expert: that is when its weights are needed.
    """
    if release.boundary_ratio is None:
        return "denoise_high"
    boundary = release.boundary_ratio * TRAINED_STEPS
    is_high = [timestep >= boundary for timestep in timesteps(sampling)]
    step = done % len(is_high)
    if is_high[step]:
        return "denoise_high"
    return "denoise_low" if step and not is_high[step - 1] else "switch"
