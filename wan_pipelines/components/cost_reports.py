"""What each day cost, as an asset of days: reported once it is over, and again when it changes."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
from dagster import AssetExecutionContext

from wan_pipelines.components import cost_metadata
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.studio.cost_pages import write_cost_pages
from wan_pipelines.studio.cost_reports import write_day
from wan_pipelines.studio.cost_revisions import days_to_report
from wan_pipelines.studio.cost_settings import CostSettings
from wan_pipelines.studio.fleets import REVISED_DAYS

REPORT = dg.AssetKey(["ledger", "cost_report"])
ADDS_UP = "report_adds_up"


def build_cost_report_defs(settings: CostSettings) -> dg.Definitions:
    """The daily report, its job, and the schedule that looks which days are due."""
    days = dg.DailyPartitionsDefinition(
        start_date=settings.since.isoformat(), timezone=settings.time_zone, end_offset=1
    )
    job = dg.define_asset_job(
        "cost_report",
        selection=[REPORT],
        partitions_def=days,
        description="Reports what days cost. Launch a backfill to report past days again.",
    )

    @dg.schedule(
        name="cost_report_schedule",
        job=job,
        cron_schedule="30 */6 * * *",
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Reports yesterday, and again each of the last {REVISED_DAYS} days of which "
        "the ledger says something else by now.",
    )
    def due(
        context: dg.ScheduleEvaluationContext, studio: StudioResource
    ) -> list[dg.RunRequest] | dg.SkipReason:
        moment = context.scheduled_execution_time
        found = days_to_report(studio.open(), moment.date() - timedelta(days=1))
        if not found:
            return dg.SkipReason("All days are reported as the ledger has them.")
        return [
            dg.RunRequest(run_key=f"{moment.isoformat()} {day}", partition_key=day.isoformat())
            for day in found
        ]

    return dg.Definitions(assets=[_asset(days)], jobs=[job], schedules=[due])


def _asset(days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    @dg.asset(
        key=REPORT,
        group_name="ledger",
        kinds={"pandas", "parquet"},
        partitions_def=days,
        description="What a day cost, by tenant, campaign, edition, user, release, engine, tier, "
        "GPU class, market and shape: Parquet, CSV and pages with charts. Made from the ledger; "
        "work counts on the day on which its worker began, so that a day changes by corrections "
        "only, and by what settles late.",
        check_specs=[
            dg.AssetCheckSpec(
                ADDS_UP,
                asset=REPORT,
                description="The report comes to what the ledger's postings come to, exactly.",
            )
        ],
    )
    def cost_report(
        context: AssetExecutionContext, studio: StudioResource
    ) -> Iterator[dg.MaterializeResult]:
        opened = studio.open()
        report = write_day(opened, date.fromisoformat(context.partition_key))
        page = write_cost_pages(opened)
        yield dg.MaterializeResult(
            metadata=cost_metadata.of_day(opened, report, page),
            check_results=[cost_metadata.adds_up_check(report, ADDS_UP)],
        )

    return cost_report
