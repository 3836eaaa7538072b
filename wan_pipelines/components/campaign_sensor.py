"""The sensor that renders again what changed, was lost or was left unfinished."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster import SensorEvaluationContext

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.components import tags
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.campaign_schedule import ensure_partition
from wan_pipelines.components.orphans import close_orphans
from wan_pipelines.components.rerender import Ending, PastRun, why_wait
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.ledger.editions import latest_edition
from wan_pipelines.studio.watch import Concern, compare

POLL_SECONDS = 15
PAST_RUNS = 50
ENDINGS: dict[dg.DagsterRunStatus, Ending] = {
    dg.DagsterRunStatus.SUCCESS: "success",
    dg.DagsterRunStatus.FAILURE: "failure",
    dg.DagsterRunStatus.CANCELED: "cancelled",
}


def build_sensor(brief: Brief, editions: dg.PartitionsDefinition) -> dg.SensorDefinition | None:
    """A sensor over the latest edition of the campaign, unless it is re-rendered by hand only."""
    if brief.rerender != "on_change":
        return None
    keys = CampaignKeys(brief.name)

    @dg.sensor(
        name=f"{keys.job}_rerender",
        job_name=keys.job,
        minimum_interval_seconds=POLL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            f"Renders again the shots of the latest edition of {brief.title} whose prompt, brief "
            "or release changed, whose output is lost or damaged, or that were left unfinished."
        ),
    )
    def rerender(
        context: SensorEvaluationContext, studio: StudioResource
    ) -> dg.RunRequest | dg.SkipReason:
        opened, moment = studio.open(), now()
        edition = latest_edition(opened.ledger, brief.tenant, brief.name)
        if edition is None:
            return dg.SkipReason("no edition has been launched yet")
        close_orphans(context.instance)
        runs = _runs_of(context.instance, keys, edition.edition)  # before looking at what they do
        if any(not run.dagster_run.is_finished for run in runs):
            return dg.SkipReason(f"edition {edition.edition} is being rendered")
        concern = compare(opened, edition, moment)
        if not concern.shots:
            return dg.SkipReason(concern.summary)
        wait = why_wait(concern, _past(runs), opened.settings.rerender.backoff, moment)
        if wait:
            return dg.SkipReason(f"{concern.summary}; {wait}")
        return _launch(context.instance, keys, editions, concern)

    return rerender


def now() -> datetime:
    return datetime.now(UTC)


def _launch(
    instance: dg.DagsterInstance,
    keys: CampaignKeys,
    editions: dg.PartitionsDefinition,
    concern: Concern,
) -> dg.RunRequest | dg.SkipReason:
    if not ensure_partition(instance, editions, concern.edition):
        return dg.SkipReason(
            f"{concern.summary}; edition {concern.edition} is none of the present schedule: what "
            "changed is rendered with the next one"
        )
    same = instance.get_runs_count(dg.RunsFilter(tags={tags.CONCERN: concern.digest}))
    return dg.RunRequest(
        run_key=f"{concern.digest}:{same}",
        partition_key=concern.edition,
        run_config={"ops": {keys.shots_op: {"config": {"only": list(concern.shots)}}}},
        tags={
            tags.CONCERN: concern.digest,
            tags.WISH: concern.wish,
            tags.REASON: concern.summary[:200],
        },
    )


def _runs_of(
    instance: dg.DagsterInstance, keys: CampaignKeys, edition: str
) -> Sequence[dg.RunRecord]:
    """The last runs of an edition, latest first: of its job, or of its assets."""
    records = instance.get_run_records(
        dg.RunsFilter(tags={tags.PARTITION: edition}), limit=PAST_RUNS
    )
    return [record for record in records if _renders(record.dagster_run, keys)]


def _renders(run: dg.DagsterRun, keys: CampaignKeys) -> bool:
    return run.job_name == keys.job or keys.takes in (run.asset_selection or ())


def _past(runs: Sequence[dg.RunRecord]) -> list[PastRun]:
    """Those that came as far as to admit shots, or were launched for a concern."""
    return [_past_run(run) for run in runs if tags.WISH in run.dagster_run.tags]


def _past_run(record: dg.RunRecord) -> PastRun:
    run = record.dagster_run
    interrupted = run.tags.get(tags.INTERRUPTED) == run.run_id
    return PastRun(
        wish=run.tags[tags.WISH],
        concern=run.tags.get(tags.CONCERN, ""),
        ending="cancelled" if interrupted else ENDINGS[run.status],
        ended_at=datetime.fromtimestamp(record.end_time or 0, UTC),
    )
