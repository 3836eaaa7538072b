"""How long shots may render before they count as timed out."""

from collections.abc import Callable

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.studio.engines import server_named
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.studio import Studio


def shot_limits(studio: Studio) -> Callable[[Shot], float]:
    """Seconds that each shot may render, by the estimates of this moment.

    On a server a shot may wait, for as long as the server's own declaration says.
    """
    declared, estimator = studio.settings.deadlines, Estimator(studio)

    def limit(shot: Shot) -> float:
        source = studio.release(shot.request.release).source
        if isinstance(source, ServedWeights):
            server = server_named(studio.settings, source.server)
            return declared.at_least_seconds + server.render_seconds
        return max(declared.at_least_seconds, declared.times_estimate * estimator.seconds(shot))

    return limit
