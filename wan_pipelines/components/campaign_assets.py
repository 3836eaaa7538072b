"""The four assets of a campaign: each a thin step over the studio."""

from collections.abc import Iterator
from typing import Any, TypedDict

import dagster as dg
from dagster import AssetExecutionContext, OpExecutionContext

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.components import cost_metadata, metadata, tags
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.model_release import engine_key
from wan_pipelines.components.places import StepPlace
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.components.runs import lasting_errors_told, run_of
from wan_pipelines.studio import costs as statements
from wan_pipelines.studio import planning, shards, turns, videos
from wan_pipelines.studio.cost_targets import judge
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.optimisation_pages import write_optimisation
from wan_pipelines.studio.watch import wish_of


class Common(TypedDict):
    """What the four assets of a campaign share."""

    group_name: str
    owners: list[str]
    tags: dict[str, str]
    partitions_def: dg.PartitionsDefinition


class ShotsConfig(dg.Config):
    """What a launch may narrow down."""

    only: list[str] | None = None
    """Names of shots; empty: the whole edition. A part, a retry, or one of several batches."""
    exact: bool = False
    """Render videos again that were drawn with less, and draw nothing else with less."""


def build_assets(
    brief: Brief,
    keys: CampaignKeys,
    editions: dg.PartitionsDefinition,
    *,
    gpu: StepPlace,
    cpu: StepPlace,
) -> list[dg.AssetsDefinition]:
    common = Common(
        group_name=keys.identifier,
        owners=list(brief.owners),
        tags={
            "campaign": brief.name,
            "release": brief.release,
            "tenant": brief.tenant,
            **brief.tags,
        },
        partitions_def=editions,
    )
    return [
        shots_asset(brief, keys, common, cpu),
        takes_asset(brief, keys, common, gpu, cpu),
        videos_asset(brief, keys, common, cpu),
        costs_asset(brief, keys, common, cpu),
    ]


def shots_asset(
    brief: Brief, keys: CampaignKeys, common: Common, cpu: StepPlace
) -> dg.AssetsDefinition:
    @dg.asset(
        key=keys.shots,
        kinds={"yaml"},
        retry_policy=cpu.retries,
        description=(
            f"The shots of {brief.title}: the brief expanded, screened, deduplicated and admitted "
            "by quota. Made from the brief as it stands on disk when the step runs."
        ),
        **common,
    )
    def shots(
        context: AssetExecutionContext, config: ShotsConfig, studio: StudioResource
    ) -> dg.MaterializeResult:
        opened = studio.open()
        plan = planning.admit(
            opened,
            brief.name,
            context.partition_key,
            only=config.only or None,
            exact=config.exact,
        )
        context.instance.add_run_tags(context.run_id, {tags.WISH: wish_of(opened, plan.edition)})
        return dg.MaterializeResult(metadata=metadata.of_plan(plan))

    return shots


def takes_asset(
    brief: Brief, keys: CampaignKeys, common: Common, gpu: StepPlace, cpu: StepPlace
) -> dg.AssetsDefinition:
    prefix = keys.takes.to_python_identifier()

    @dg.op(
        name=f"{prefix}__cut",
        ins={"shots": dg.In(dg.Nothing), "engine": dg.In(dg.Nothing)},
        out=dg.DynamicOut(dict),
        retry_policy=cpu.retries,
        description="Cuts what is missing into shards of GPU-minutes.",
    )
    def cut(context: OpExecutionContext, studio: StudioResource) -> Iterator[dg.DynamicOutput]:
        opened = studio.open(brief.gpu_class)
        edition = edition_key(opened, brief.name, context.partition_key)
        asked = ShotsConfig(**shots_config(context.run.run_config, keys))
        only = asked.only or None
        pieces = shards.cut(opened, edition, only=only, exact=asked.exact)
        turns.line_up(opened, opened.brief(brief.name), edition, context.run_id, pieces)
        for shard in pieces:
            yield dg.DynamicOutput(shard.to_json(), mapping_key=shard.name)

    @dg.op(
        name=f"{prefix}__render",
        pool=gpu.pool,
        tags=gpu.tags,
        retry_policy=gpu.retries,
        description="Renders the shots of one shard on one warm engine, and encodes them.",
    )
    def render(
        context: OpExecutionContext, studio: StudioResource, shard: dict[str, Any]
    ) -> dict[str, Any]:
        reference = shards.ShardReference.from_json(shard)
        with lasting_errors_told():
            opened = turns.in_turn(studio.open(), brief, reference, context.run_id)
            summary = shards.render(opened, reference, run_of(context), say=context.log.info)
        if summary.left and gpu.can_vanish:
            context.log.info(f"Shots that are left for another pod: {', '.join(summary.left)}")
            raise gpu.elsewhere()
        return summary.to_json()

    @dg.op(
        name=f"{prefix}__tally",
        retry_policy=cpu.retries,
        description="Adds up what the shards report.",
    )
    def tally(
        context: OpExecutionContext, studio: StudioResource, reports: list[dict[str, Any]]
    ) -> dg.Output[None]:
        opened = studio.open()
        edition = edition_key(opened, brief.name, context.partition_key)
        tallied = shards.tally(opened, edition, reports)
        return dg.Output(None, metadata=metadata.of_takes(tallied))

    @dg.graph_asset(
        key=keys.takes,
        ins={
            "shots": dg.AssetIn(key=keys.shots, dagster_type=dg.Nothing),
            "engine": dg.AssetIn(key=engine_key(brief.release), dagster_type=dg.Nothing),
        },
        kinds={"pytorch", "diffusers"},
        description=(
            f"The takes of {brief.title}: every admitted shot rendered once on a GPU. Made from "
            "the shots and the engine; fresh when every admitted shot has an accepted take."
        ),
        **common,
    )
    def takes(shots, engine):
        return tally(cut(shots=shots, engine=engine).map(render).collect())

    return takes


def videos_asset(
    brief: Brief, keys: CampaignKeys, common: Common, cpu: StepPlace
) -> dg.AssetsDefinition:
    @dg.asset(
        key=keys.videos,
        deps=[keys.takes],
        retry_policy=cpu.retries,
        kinds={"ffmpeg", "mp4"},
        description=(
            f"The videos of {brief.title}: the renditions the brief asks for, each with its "
            "manifest, and the edition's page. Made from the accepted takes."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                "all_shots_accounted_for",
                asset=keys.videos,
                description="Every shot is rendered, reused, or refused with a reason.",
            ),
            dg.AssetCheckSpec(
                "videos_probe_well",
                asset=keys.videos,
                description="Every file is there, whole, and what it says it is.",
            ),
        ],
        **common,
    )
    def videos_(context: AssetExecutionContext, studio: StudioResource):
        opened = studio.open(brief.gpu_class)
        edition = edition_key(opened, brief.name, context.partition_key)
        published = videos.publish(opened, edition)
        yield dg.MaterializeResult(metadata=metadata.of_videos(opened, published))
        yield metadata.accounted_check(published)
        yield metadata.probe_check(published)

    return videos_


def costs_asset(
    brief: Brief, keys: CampaignKeys, common: Common, cpu: StepPlace
) -> dg.AssetsDefinition:
    @dg.asset(
        key=keys.costs,
        deps=[keys.videos],
        retry_policy=cpu.retries,
        kinds={"pandas"},
        description=(
            f"What {brief.title} cost: every charge, by shot and by stage, as CSV. Made from the "
            "ledger; fresh when every worker of the edition has been settled."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                "charges_add_up",
                asset=keys.costs,
                description="Charges equal what was paid for the workers, to the micro-dollar.",
            ),
            dg.AssetCheckSpec(
                cost_metadata.TARGETS_MET,
                asset=keys.costs,
                description="Videos cost no more than the environment's targets say.",
            ),
        ],
        **common,
    )
    def costs(context: AssetExecutionContext, studio: StudioResource):
        opened = studio.open()
        edition = edition_key(opened, brief.name, context.partition_key)
        statement = statements.settle(opened, edition)
        verdicts = judge(opened, edition)
        report = write_optimisation(opened, edition, verdicts)
        yield dg.MaterializeResult(metadata=metadata.of_costs(opened, statement))
        yield metadata.charges_check(statement)
        yield cost_metadata.targets_check(opened, verdicts, report)

    return costs


def shots_config(run_config: Any, keys: CampaignKeys) -> dict[str, Any]:
    """What this run's config says of its shots: all its steps narrow down to the same ones."""
    shots = run_config.get("ops", {}).get(keys.shots_op, {})
    return shots.get("config", {})
