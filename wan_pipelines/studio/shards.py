"""Rendering the missing shots of an edition, shard by shard."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.ledger.budget_refusals import refuse_beyond_budget
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import (
    EditionTotals,
    ShotView,
    edition_shots_view,
    edition_totals,
)
from wan_pipelines.rendering.progress import ProgressTold
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.editions import missing_shots
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.render_here import OpenEngine, Say, render_here
from wan_pipelines.studio.shard_records import ShardReference, ShardSummary
from wan_pipelines.studio.shot_view import state_of
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.supervised.supervisor import render_supervised


@dataclass(frozen=True, slots=True)
class EditionTally:
    """What the shards of a launch came to, in the end.

    `artifact_misses` say why videos were not drawn by compiled code: how many, by reason.
    """

    shards: int
    render_seconds: float
    artifact_hits: int
    artifact_misses: Mapping[str, int]
    totals: EditionTotals
    failed: tuple[ShotView, ...]


def cut(
    studio: Studio,
    edition: EditionKey,
    *,
    only: Collection[str] | None = None,
    exact: bool = False,
) -> tuple[ShardReference, ...]:
    """What is admitted and has no accepted take yet, in shards of the environment's size."""
    estimator = Estimator(studio)
    return tuple(
        ShardReference(
            shard.name,
            edition,
            tuple(shot.name for shot in shard.shots),
            exact,
            round(_held_seconds(estimator, shard.shots), 3),
        )
        for shard in estimator.shards(missing_shots(studio, edition, only))
    )


def _held_seconds(estimator: Estimator, shots: Sequence[Shot]) -> float:
    """How long a worker starts, and renders them."""
    return estimator.start_seconds(shots[0].request) + sum(map(estimator.seconds, shots))


def render(
    studio: Studio,
    shard: ShardReference,
    run: RunReference,
    *,
    say: Say,
    open_engine: OpenEngine | None = None,
) -> ShardSummary:
    """Render a shard in processes of its own, or in this one if `open_engine` makes the engine.

    All is paid from the start of this process. See `render_here` for what is raised, and
    `render_supervised`.
    """
    if open_engine is None:
        return render_supervised(studio, shard, run, say=say)
    rendered = render_here(
        studio, shard, run, say=say, on_progress=ProgressTold(say), open_engine=open_engine
    )
    return rendered.summary


def tally(
    studio: Studio, edition: EditionKey, summaries: Sequence[Mapping[str, Any]]
) -> EditionTally:
    """The edition after its shards: totals, and the shots that failed with their errors.

    What waits for a budget that they have used up is refused, and says so.
    """
    refuse_beyond_budget(studio.ledger, edition, now=datetime.now(UTC))
    totals = edition_totals(studio.ledger, edition)
    all_is_well = totals.accepted == totals.shots
    shots = () if all_is_well else edition_shots_view(studio.ledger, edition)
    told = [ShardSummary.from_json(summary) for summary in summaries]
    misses = Counter[str]()
    for each in told:
        misses.update(each.artifact_misses)
    return EditionTally(
        shards=len(told),
        render_seconds=sum(seconds for each in told for seconds in each.seconds.values()),
        artifact_hits=sum(each.artifact_hits for each in told),
        artifact_misses=dict(misses),
        totals=totals,
        failed=tuple(shot for shot in shots if state_of(shot) == "failed"),
    )
