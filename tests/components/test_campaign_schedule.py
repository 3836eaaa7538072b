"""What a schedule begins, tick by tick, on the nights when clocks are put forward and back."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData
from dagster._utils.schedules import schedule_execution_time_iterator

from tests.support.project import Project
from wan_pipelines.campaigns.editions import check_edition
from wan_pipelines.definitions import load

SCHEDULE = "campaign_balls_schedule"
SPRING, AUTUMN = datetime(2026, 3, 27, 22, tzinfo=UTC), datetime(2026, 10, 23, 22, tzinfo=UTC)
"""A day before the clocks of Berlin skip the hour from two to three, or show it twice."""


def begun(
    project: Project, cron: str, day: datetime, time_zone: str = "Europe/Berlin"
) -> list[str]:
    """The editions that begin in two and a half days, in the order of their ticks."""
    start = (day - timedelta(days=3)).date().isoformat()
    project.campaign(schedule={"cron": cron, "time_zone": time_zone, "start": start})
    repository = load().get_repository_def()
    ticks = schedule_execution_time_iterator(day.timestamp(), cron, time_zone)  # the daemon's
    end = day + timedelta(days=2, hours=12)
    return [edition_of(repository, tick) for tick in takewhile(lambda tick: tick < end, ticks)]


def edition_of(repository: dg.RepositoryDefinition, tick: datetime) -> str:
    """What the daemon is asked for at a tick; it refuses an edition that is none."""
    data = evaluate(repository, tick)
    (request,) = data.run_requests or []
    assert request.partition_key
    assert request.partition_key == request.run_key
    return check_edition(request.partition_key)


def evaluate(repository: dg.RepositoryDefinition, tick: datetime) -> ScheduleExecutionData:
    schedule = repository.get_schedule_def(SCHEDULE)
    with (
        dg.partition_loading_context(effective_dt=tick),
        dg.build_schedule_context(
            scheduled_execution_time=tick, repository_def=repository
        ) as context,
    ):
        return schedule.evaluate_tick(context)


def test_before_its_first_day_nothing_begins(project: Project) -> None:
    project.campaign(
        schedule={"cron": "0 4 * * *", "time_zone": "Europe/Berlin", "start": "2026-11-01"}
    )
    data = evaluate(load().get_repository_def(), datetime(2026, 10, 31, 3, tzinfo=UTC))
    assert not data.run_requests
    assert data.skip_message == "Editions begin on 2026-11-01."


@pytest.mark.parametrize(
    ("cron", "spring", "autumn"),
    [
        ("30 1 * * *", ["28-0130", "29-0130", "30-0130"], ["24-0130", "25-0130", "26-0130"]),
        ("30 2 * * *", ["28-0230", "29-0300", "30-0230"], ["24-0230", "25-0230", "26-0230"]),
        ("0 3 * * *", ["28-0300", "29-0300", "30-0300"], ["24-0300", "25-0300", "26-0300"]),
    ],
    ids=["before the hour", "within it", "after it"],
)
def test_every_day_has_its_edition(
    project: Project, cron: str, spring: list[str], autumn: list[str]
) -> None:
    assert begun(project, cron, SPRING) == [f"2026-03-{day}" for day in spring]
    assert begun(project, cron, AUTUMN) == [f"2026-10-{day}" for day in autumn]


@pytest.mark.parametrize("time_zone", ["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("cron", ["0 * * * *", "*/30 * * * *"])
def test_no_two_hours_share_an_edition(project: Project, cron: str, time_zone: str) -> None:
    """The hour that clocks show twice has the offset to UTC in its keys."""
    for day in (SPRING, AUTUMN, datetime(2026, 10, 31, tzinfo=UTC)):
        editions = begun(project, cron, day, time_zone)
        assert len(editions) == len(set(editions)) >= 59


def test_within_an_hour_shown_twice_the_open_edition_stays(project: Project) -> None:
    """Dagster names no second one there: it would refuse the run, and the tick would fail."""
    assert begun(project, "0,30 2 * * *", AUTUMN) == [
        "2026-10-24-0200",
        "2026-10-24-0230",
        "2026-10-25-0200",
        "2026-10-25-0200",
        "2026-10-26-0200",
        "2026-10-26-0230",
    ]
