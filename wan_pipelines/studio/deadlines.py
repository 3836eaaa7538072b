"""How long shots may render before they count as timed out."""

from collections.abc import Callable

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.studio import Studio


def shot_limits(studio: Studio) -> Callable[[Shot], float]:
    """Seconds that each shot may render, by the estimates of this moment."""
    declared, estimator = studio.settings.deadlines, Estimator(studio)

    def limit(shot: Shot) -> float:
        return max(declared.at_least_seconds, declared.times_estimate * estimator.seconds(shot))

    return limit
