"""The daily report of costs, as Dagster makes it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import dagster as dg
import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.components.cost_reports import ADDS_UP, REPORT, build_cost_report_defs
from wan_pipelines.components.resource import StudioDoor
from wan_pipelines.ledger.corrections import Rerating, Selection, rerate
from wan_pipelines.studio.cost_reports import today, write_day


def definitions(project: Project) -> dg.Definitions:
    door = StudioDoor(project.root, project.state, "local")
    made = build_cost_report_defs(project.studio().settings.costs)
    return dg.Definitions.merge(made, dg.Definitions(resources={"studio": door}))


def test_a_day_is_reported_again_by_its_partition(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    job = definitions(quick_project).resolve_job_def("cost_report")
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            day = today(studio).isoformat()
            result = job.execute_in_process(instance=instance, partition_key=day)
            (made,) = result.asset_materializations_for_node("ledger__cost_report")
            (check,) = result.get_asset_check_evaluations()
            assert (check.check_name, check.asset_key, check.passed) == (ADDS_UP, REPORT, True)
            told: dict[str, Any] = {name: value.value for name, value in made.metadata.items()}
            assert (told["videos"], told["changed_usd"]) == (2, 0.0)
            assert told["usd_per_1000"] == pytest.approx(told["cost_usd"] * 500, abs=1e-6)
            assert told["page"] == "http://127.0.0.1:3070/reports/costs.html"
            assert [row.data["campaign"] for row in told["by_campaign"].records] == ["balls"]


NOTHING = "All days are reported as the ledger has them."


def tick(project: Project, moment: datetime) -> list[str | None] | str:
    """Which days the schedule asks for then, or why it asks for none."""
    repository = definitions(project).get_repository_def()
    schedule = repository.get_schedule_def("cost_report_schedule")
    door = StudioDoor(project.root, project.state, "local")
    with dg.build_schedule_context(
        scheduled_execution_time=moment, repository_def=repository, resources={"studio": door}
    ) as context:
        found = schedule.evaluate_tick(context)
    return [each.partition_key for each in found.run_requests or ()] or found.skip_message or ""


def test_every_night_reports_yesterday_where_the_books_are_kept(quick_project: Project):
    quick_project.environment(costs={"time_zone": "America/New_York", "since": "2026-11-21"})
    # Half past midnight in New York
    assert tick(quick_project, datetime(2026, 11, 22, 5, 30, tzinfo=UTC)) == ["2026-11-21"]
    assert tick(quick_project, datetime(2026, 11, 21, 5, 30, tzinfo=UTC)) == NOTHING


def test_days_are_reported_again_once_they_are_corrected(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    day = today(studio)
    write_day(studio, day)
    tomorrow = datetime.combine(day + timedelta(days=1), time(6, 30), UTC)
    assert tick(quick_project, tomorrow) == NOTHING
    rerating = Rerating(Selection(gpu_class="laptop-cpu"), 0, "root", "an outage")
    rerate(studio.ledger, rerating, now=datetime.now(UTC))
    assert tick(quick_project, tomorrow) == [f"{day}"]
    later = tomorrow + timedelta(days=2)
    assert tick(quick_project, later) == [f"{day}", f"{later.date() - timedelta(days=1)}"]
    write_day(studio, day)
    assert tick(quick_project, tomorrow) == NOTHING
