"""The sensor that renders again what changed, was lost or was left unfinished."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import SensorEvaluationContext

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.studio.settings import Rerender
from wan_pipelines.studio.watch import Concern, look

POLL_SECONDS = 15
CONCERN_TAG = "wan/concern"
PARTITION_TAG = "dagster/partition"
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def build_sensor(brief: Brief) -> dg.SensorDefinition | None:
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
        opened = studio.open()
        concern = look(opened, brief.name, datetime.now(UTC))
        if not concern.shots:
            return dg.SkipReason(concern.summary)
        if _in_flight(context.instance, keys.job, concern.edition):
            return dg.SkipReason(f"edition {concern.edition} is being rendered")
        launched = _launched_for(context.instance, concern)
        rest = _rest(launched, opened.settings.rerender)
        if rest:
            return dg.SkipReason(rest)
        return dg.RunRequest(
            run_key=f"{concern.digest}:{len(launched)}",
            partition_key=concern.edition,
            run_config={"ops": {keys.shots_op: {"config": {"only": list(concern.shots)}}}},
            tags={CONCERN_TAG: concern.digest, "wan/reason": concern.summary[:200]},
        )

    return rerender


def _in_flight(instance: dg.DagsterInstance, job: str, edition: str) -> bool:
    unfinished = dg.RunsFilter(job_name=job, statuses=UNFINISHED, tags={PARTITION_TAG: edition})
    return instance.get_runs_count(unfinished) > 0


def _launched_for(instance: dg.DagsterInstance, concern: Concern) -> list[dg.RunRecord]:
    """Runs for the very same concern, latest first: it stands, so they did not put it right."""
    return list(instance.get_run_records(dg.RunsFilter(tags={CONCERN_TAG: concern.digest})))


def _rest(launched: list[dg.RunRecord], policy: Rerender) -> str | None:
    """Why this concern is left alone for now, if it is."""
    if not launched:
        return None
    if len(launched) >= policy.failures_until_rest:
        return f"{len(launched)} runs did not help: resting until something changes"
    pause = timedelta(seconds=policy.first_backoff_seconds * 2 ** (len(launched) - 1))
    again = launched[0].update_timestamp.replace(tzinfo=UTC) + pause
    if datetime.now(UTC) < again:
        return f"the last run did not help: trying again at {again:%Y-%m-%d %H:%M:%S} UTC"
    return None
