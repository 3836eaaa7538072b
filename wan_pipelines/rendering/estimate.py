"""How long a shot will take, scaled from what was measured for its release.

A forward of an expert over n tokens has a part that grows with n and, for attention, one that grows
with its square. With a the share of attention at the largest measured size N,

    g(n) = (1 - a) * n / N + a * (n / N) ** 2        t(n) = t0 * g(n) / g(n0)

where t0 seconds were measured at the size n0 nearest to n. Decoding grows with n.
"""

from math import log

from wan_pipelines.engines.release_parts import Timing
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.requests import RenderRequest

UNMEASURED_SECONDS = 60.0


def shot_seconds(release: Release, request: RenderRequest, gpu_class: str) -> float:
    """GPU seconds of text, denoising and decoding, without load and waiting.

    A release that was not measured on `gpu_class` is taken to be as slow there as on its slowest
    measured class; one that was measured nowhere counts `UNMEASURED_SECONDS` a shot.
    """
    if gpu_class in release.timing:
        return _seconds(release, request, release.timing[gpu_class])
    return max(
        (_seconds(release, request, timing) for timing in release.timing.values()),
        default=UNMEASURED_SECONDS,
    )


def forwards(request: RenderRequest) -> int:
    """Forwards through an expert: guidance needs two for each step."""
    return request.sampling.steps * (2 if request.sampling.guidance > 1 else 1)


def _seconds(release: Release, request: RenderRequest, timing: Timing) -> float:
    tokens = release.tokens(request.width, request.height, request.frames)
    largest = max(forward.tokens for forward in timing.forwards)
    nearest = min(timing.forwards, key=lambda forward: abs(log(forward.tokens / tokens)))

    def growth(count: int) -> float:
        ratio = count / largest
        return (1 - timing.attention_share) * ratio + timing.attention_share * ratio**2

    forward_seconds = nearest.seconds * growth(tokens) / growth(nearest.tokens)
    decode_seconds = timing.decode_seconds * tokens / largest
    return timing.text_seconds + forwards(request) * forward_seconds + decode_seconds
