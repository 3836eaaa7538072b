"""Editions as Dagster partitions, and the schedule that begins them."""

from datetime import datetime, time

import dagster as dg
from dagster import ScheduleEvaluationContext

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.editions import EDITION_FORMAT
from wan_pipelines.components.campaign_keys import CampaignKeys


def editions_of(brief: Brief) -> dg.PartitionsDefinition:
    """Time windows of the campaign's cron, or, without one, keys that launches by hand add."""
    if brief.schedule is None:
        return dg.DynamicPartitionsDefinition(name=editions_name(brief.name))
    return dg.TimeWindowPartitionsDefinition(
        start=datetime.combine(brief.schedule.start, time()),
        fmt=EDITION_FORMAT,
        cron_schedule=brief.schedule.cron,
        timezone=brief.schedule.time_zone,
        end_offset=1,  # the edition of a tick is the window that the tick opens
    )


def editions_name(campaign: str) -> str:
    return f"{campaign}_editions"


def build_schedule(brief: Brief, editions: dg.PartitionsDefinition) -> dg.ScheduleDefinition | None:
    if brief.schedule is None:
        return None
    assert isinstance(editions, dg.TimeWindowPartitionsDefinition)
    windows, start = editions, brief.schedule.start

    @dg.schedule(
        name=f"{CampaignKeys(brief.name).job}_schedule",
        job_name=CampaignKeys(brief.name).job,
        cron_schedule=brief.schedule.cron,
        execution_timezone=brief.schedule.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Begins an edition of {brief.title} at {brief.schedule.cron} "
        f"({brief.schedule.time_zone}).",
    )
    def begin_edition(context: ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        edition = open_edition(windows, context.scheduled_execution_time)
        if edition is None:
            return dg.SkipReason(f"Editions begin on {start}.")
        return dg.RunRequest(run_key=edition, partition_key=edition)

    return begin_edition


def open_edition(editions: dg.TimeWindowPartitionsDefinition, moment: datetime) -> str | None:
    """The edition whose window holds the moment; none before the first.

    The key is what the clocks of the campaign's time zone showed when the window opened, with the
    offset to UTC where every hour has its edition and the clocks show one of them twice. Of several
    windows that open within such an hour at other crons, Dagster finds only the first by its key:
    that one stays open until the hour is over.
    """
    with dg.partition_loading_context(effective_dt=moment):
        last = editions.get_last_partition_key()
        if last is None or editions.has_partition_key(last):
            return last
        known = filter(editions.has_partition_key, reversed(editions.get_partition_keys()))
        return next(known, None)


def ensure_partition(
    instance: dg.DagsterInstance, editions: dg.PartitionsDefinition, edition: str
) -> bool:
    """Make the edition a partition, where editions are named by hand; False if it is none."""
    if isinstance(editions, dg.DynamicPartitionsDefinition):
        assert editions.name is not None
        instance.add_dynamic_partitions(editions.name, [edition])
        return True
    return editions.has_partition_key(edition)
