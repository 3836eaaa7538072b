"""How long a shot will take, from what was measured for its release.

Between two measured sizes the seconds of a forward are interpolated. Beyond them they are scaled: a
forward over n tokens has a part that grows with n and, for attention, one that grows with its
square. With a the share of attention at the largest measured size N,

    g(n) = (1 - a) * n / N + a * (n / N) ** 2        t(n) = t0 * g(n) / g(n0)

where t0 seconds were measured at n0 tokens. Decoding grows with n.
"""

from itertools import pairwise

from wan_pipelines.engines.release_parts import MeasuredForward, Timing
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
    measured = sorted(timing.forwards, key=lambda forward: forward.tokens)
    denoise_seconds = forwards(request) * _forward_seconds(tokens, measured, timing.attention_share)
    decode_seconds = timing.decode_seconds * tokens / measured[-1].tokens
    return timing.text_seconds + denoise_seconds + decode_seconds


def _forward_seconds(tokens: int, measured: list[MeasuredForward], attention_share: float) -> float:
    """`measured` is sorted by tokens."""
    for below, above in pairwise(measured):
        if below.tokens <= tokens <= above.tokens:
            way = (tokens - below.tokens) / (above.tokens - below.tokens)
            return below.seconds + way * (above.seconds - below.seconds)
    largest = measured[-1].tokens

    def growth(count: int) -> float:
        ratio = count / largest
        return (1 - attention_share) * ratio + attention_share * ratio**2

    end = measured[0] if tokens < measured[0].tokens else measured[-1]
    return end.seconds * growth(tokens) / growth(end.tokens)
