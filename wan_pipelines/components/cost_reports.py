"""What each day cost, as an asset of days: reported every night, and again whenever asked for."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
from dagster import AssetExecutionContext

from wan_pipelines.components import cost_metadata
from wan_pipelines.components.resource import StudioResource
from wan_pipelines.studio.cost_pages import write_cost_pages
from wan_pipelines.studio.cost_reports import write_day
from wan_pipelines.studio.cost_settings import CostSettings

REPORT = dg.AssetKey(["ledger", "cost_report"])
ADDS_UP = "report_adds_up"


def build_cost_report_defs(settings: CostSettings) -> dg.Definitions:
    """The daily report, its job, and the schedule that makes yesterday's every night."""
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
        cron_schedule="30 0 * * *",
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Reports yesterday, and brings the pages of costs up to date.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        yesterday = context.scheduled_execution_time.date() - timedelta(days=1)
        if yesterday < settings.since:
            return dg.SkipReason(f"The first day that is reported is {settings.since}.")
        return dg.RunRequest(run_key=yesterday.isoformat(), partition_key=yesterday.isoformat())

    return dg.Definitions(assets=[_asset(days)], jobs=[job], schedules=[nightly])


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
