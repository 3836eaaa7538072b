"""What a plan expects, in the ledger's words, so that it can be compared with what comes of it."""

from collections import defaultdict

from wan_pipelines.engines.estimating.intervals import LEVEL
from wan_pipelines.ledger.forecasts import Forecast
from wan_pipelines.studio.estimates import ShotEstimate, seconds_between
from wan_pipelines.studio.plans import EditionPlan

PERCENT = round(100 * LEVEL)


def forecasts_of(plan: EditionPlan, gpu_class: str) -> tuple[Forecast, ...]:
    """One for each release and tier of the shots that are rendered now."""
    groups: dict[tuple[str, str], list[ShotEstimate]] = defaultdict(list)
    for planned in plan.shots:
        if planned.estimate:
            shot = planned.shot
            groups[shot.request.release, shot.tier].append(planned.estimate)
    return tuple(
        _forecast(release, tier, gpu_class, estimates)
        for (release, tier), estimates in groups.items()
    )


def _forecast(release: str, tier: str, gpu_class: str, estimates: list[ShotEstimate]) -> Forecast:
    low, high = seconds_between(estimates)
    return Forecast(
        release=release,
        tier=tier,
        gpu_class=gpu_class,
        shots=len(estimates),
        seconds=sum(estimate.seconds for estimate in estimates),
        low_seconds=low,
        high_seconds=high,
        percent=PERCENT,
        takes=min(estimate.takes for estimate in estimates),
    )
