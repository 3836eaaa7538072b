"""What shots are expected to take and cost on the GPUs of an environment."""

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.ledger.moments import micros_in
from wan_pipelines.ledger.money import micro_usd, price_of
from wan_pipelines.rendering.estimate import shot_seconds
from wan_pipelines.studio.studio import Studio


def expected_seconds(studio: Studio, shot: Shot) -> float:
    """How long a shot is expected to hold a worker of this environment."""
    release = studio.release(shot.request.release)
    return shot_seconds(release, shot.request, studio.settings.gpu_class)


def expected_micro_usd(studio: Studio, seconds: float) -> int:
    """What a worker of this environment costs for so long, at today's price."""
    rendering = studio.settings.rendering_class
    return price_of(
        gpu_count=rendering.gpu_count,
        microseconds=micros_in(seconds),
        micro_usd_per_gpu_hour=micro_usd(rendering.price_usd_per_hour),
    )
