"""The timesteps a tier visits, told before anything heavy is imported."""

from wan_pipelines.engines.requests import Sampling

TRAINED_STEPS = 1000


def timesteps(sampling: Sampling) -> tuple[int, ...]:
    """Whole timesteps from most noise to least, as the experts are told them.

    A shift s maps a noise level t to s t / (1 + (s - 1) t). UniPC on flow sigmas walks from 1 to
    1/1000 in one part more than steps and leaves the last out; Euler walks from 1 to 1/1000, both
    shifted, and shifts again.
    """
    count, shift = sampling.steps, sampling.flow_shift
    least = 1 / TRAINED_STEPS
    if sampling.scheduler == "unipc":
        levels = (1 + (least - 1) * step / count for step in range(count))
        below = 1 - 1e-6  # UniPC has no logarithm of pure noise
        return tuple(int(min(_shifted(t, shift), below) * TRAINED_STEPS) for t in levels)
    least = _shifted(least, shift)
    parts = max(count - 1, 1)
    levels = (1 + (least - 1) * step / parts for step in range(count))
    return tuple(int(_shifted(level, shift) * TRAINED_STEPS) for level in levels)


def _shifted(level: float, shift: float) -> float:
    return shift * level / (1 + (shift - 1) * level)
