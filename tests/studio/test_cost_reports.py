"""Days of costs: the same whenever they are asked for, until somebody corrects them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.project import Project
from tests.support.quick_project import quick_copy
from tests.support.renders import render_edition
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.corrections import Rerating, Selection, rerate
from wan_pipelines.ledger.reports import cost_totals
from wan_pipelines.ledger.whose import House
from wan_pipelines.pages.costs import quotient
from wan_pipelines.reporting.files import from_parquet
from wan_pipelines.reporting.frames import joined
from wan_pipelines.reporting.summary import records, summed, total
from wan_pipelines.studio.cost_pages import target_lines, write_cost_pages
from wan_pipelines.studio.cost_reports import (
    OPERATOR,
    bounds,
    compute_day,
    details,
    kept_period,
    period,
    today,
    write_day,
)
from wan_pipelines.studio.cost_settings import AT_720P, CostSettings, CostTarget
from wan_pipelines.studio.studio import Studio

BERLIN = {"time_zone": "Europe/Berlin"}


@pytest.fixture(scope="module")
def studio(
    tmp_path_factory: pytest.TempPathFactory, no_weights: Path, migrated_ledger: Path
) -> Iterator[Studio]:
    """Two videos of one tenant and a failure of another, just now."""
    made = quick_copy(tmp_path_factory.mktemp("costs"), no_weights, migrated_ledger)
    made.environment(costs=BERLIN, plans={"studio": {}, "free": {}})
    made.campaign("others", tenant="small", prompts=["a green ball rising"])
    with pytest.MonkeyPatch.context() as patch:
        made.enter(patch)
        opened = made.studio()
        render_edition(opened)
        faults = {"a green ball rising": RenderError("no", stage="decode")}
        render_edition(opened, campaign="others", faults=faults)
        yield opened


def test_a_day_comes_to_what_the_ledger_was_charged(studio: Studio):
    report = write_day(studio, today(studio))
    charged = sum(each.micro_usd for each in cost_totals(studio.ledger, "kind", House("audit")))
    assert report.micro_usd == report.posted_micro_usd == charged > 0
    by_tenant = {row["tenant"]: row for row in records(summed(report.frame, ["tenant"]))}
    assert by_tenant["demo"]["videos"] == 2
    assert by_tenant["small"]["wasted_micro_usd"] == by_tenant["small"]["micro_usd"] > 0


def test_what_is_kept_is_what_was_computed_and_computed_the_same_again(studio: Studio):
    day = today(studio)
    first, again = write_day(studio, day), write_day(studio, day)
    assert again.changed_micro_usd == 0
    kept = from_parquet(studio.store.read_bytes(again.parquet))
    assert kept.equals(first.frame)
    header, *rows = studio.store.read_bytes(again.csv).decode().splitlines()
    assert header.startswith("day,tenant,campaign,edition,user")
    assert len(rows) == len(first.frame)
    assert total(kept_period(studio, day - timedelta(days=2), day)) == first.micro_usd


def test_a_tenant_gets_its_own_days_videos_and_page_only(studio: Studio):
    day = today(studio)
    everything = total(compute_day(studio, day))
    own = {name: total(compute_day(studio, day, name)) for name in ("demo", "small")}
    assert sum(own.values()) == everything
    videos = [row for part in details(studio, day, day, "demo", "take") for row in records(part)]
    assert {(row["tenant"], row["outcome"]) for row in videos} == {("demo", "accepted")}
    page = studio.store.read_bytes(write_cost_pages(studio)).decode()
    assert "balls" in page
    assert "others" in page
    theirs = studio.store.read_bytes("tenants/small/costs.html").decode()
    assert "others" in theirs
    assert "balls" not in theirs


def test_the_page_of_all_editions_points_to_that_of_costs_where_there_is_one(
    quick_project: Project,
):
    studio = quick_project.studio()
    link = 'href="costs.html"'
    for edition, is_linked in (("one", False), ("two", True)):
        render_edition(studio, edition)
        assert (link in index_of(studio)) == is_linked
        write_cost_pages(studio)
        assert link in index_of(studio)


def index_of(studio: Studio) -> str:
    return studio.store.read_bytes("tenants/demo/index.html").decode()


def test_a_video_counts_for_the_first_target_that_fits_it(studio: Studio):
    cheap = CostTarget(usd_per_video=Decimal("0.01"), tier="draft")
    report = compute_day(studio, today(studio), "demo")
    paid = total(report)
    anything = CostTarget(usd_per_video=Decimal(1))
    lines = target_lines(report, CostSettings(targets=(AT_720P, cheap, anything)))
    assert [(line.name, line.videos) for line in lines] == [
        ("720p", 0),
        ("draft", 2),
        ("any video", 0),
    ]
    assert [line.each_micro_usd for line in lines] == [None, quotient(paid, 2), None]
    nobodys = report.iloc[:1].assign(shape="", release="", tier="", videos=0, micro_usd=1000)
    (line,) = target_lines(joined([report, nobodys]), CostSettings(targets=(cheap,)))
    assert line.each_micro_usd == quotient(paid + 1000, 2), "workers that rendered nothing"


def test_days_are_those_of_the_environment_and_clocks_change(studio: Studio):
    began, ended = bounds(studio, date(2026, 3, 29), date(2026, 3, 29))
    assert (began, ended - began) == (datetime(2026, 3, 28, 23, tzinfo=UTC), timedelta(hours=23))
    assert today(studio) == datetime.now(ZoneInfo("Europe/Berlin")).date()


def test_a_correction_changes_the_day_visibly(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    day = today(studio)
    before = write_day(studio, day)
    rerating = Rerating(Selection(gpu_class="laptop-cpu"), 0, "root", "an outage")
    rerate(studio.ledger, rerating, now=datetime.now(UTC) + timedelta(days=3))
    after = write_day(studio, day)
    assert (after.micro_usd, after.changed_micro_usd) == (0, -before.micro_usd)
    assert after.posted_micro_usd == 0
    assert total(period(studio, day - timedelta(days=1), day, OPERATOR)) == 0
