"""Editions rendered in this process, without Dagster and without a model: in a moment."""

from collections.abc import Collection, Mapping

from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio import costs, planning, shards, videos
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.planning import EditionPlan
from wan_pipelines.studio.studio import Studio


def render_edition(
    studio: Studio,
    edition: str = "one",
    campaign: str = "balls",
    *,
    only: Collection[str] | None = None,
    faults: Mapping[str, Exception] | None = None,
) -> EditionPlan:
    """What the steps of a run do; `faults` maps prompts to what the engine raises for them."""

    def open_engine(studio: Studio, release: str) -> Engine:
        return NullEngine(studio.release(release), faults)

    plan = planning.admit(studio, campaign, edition, only=only)
    key = edition_key(studio, campaign, edition)
    for shard in shards.cut(studio, key, only=only):
        run = RunReference("run", shard.name)
        shards.render(studio, shard, run, say=lambda words: None, open_engine=open_engine)
    videos.publish(studio, key)
    costs.settle(studio, key)
    return plan
