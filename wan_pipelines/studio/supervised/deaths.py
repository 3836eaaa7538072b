"""What a worker did that did not live to tell."""

import signal
from datetime import datetime

from wan_pipelines.ledger.reports import ShotView, edition_shots_view
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.shard_records import ShardReference, ShardSummary
from wan_pipelines.studio.studio import Studio


def summary_of_dead(
    studio: Studio, shard: ShardReference, run: RunReference, since: datetime
) -> ShardSummary:
    """What the ledger knows of the shard; how the time was spent only the worker could have said.

    A shot that failed in this run since then is not tried again in it; one that failed before was
    what the worker was to try again.
    """
    shots = edition_shots_view(studio.ledger, shard.edition)
    ours = [shot for shot in shots if shot.shot in shard.shots]

    def names(outcome: str, *, here: bool) -> tuple[str, ...]:
        return tuple(
            shot.shot
            for shot in ours
            if shot.outcome == outcome
            and (shot.run_id == run.run_id) == here
            and (outcome != "failed" or (shot.last_failed_at or since) >= since)
        )

    failed, settled = names("failed", here=True), {shot.shot for shot in ours if _is_settled(shot)}
    return ShardSummary(
        shard=shard.name,
        accepted=len(names("accepted", here=True)),
        reused=len(names("accepted", here=False)),
        failed=failed,
        left=tuple(name for name in shard.shots if name not in {*settled, *failed}),
        declined={},
        seconds={},
    )


def _is_settled(shot: ShotView) -> bool:
    """Whether nobody has to render it, or wants it rendered, any more."""
    return shot.outcome == "accepted" or shot.state == "withdrawn"


def told_status(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"with exit status {status}"
    number = -status
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"killed by {name}"
