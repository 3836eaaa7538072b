from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.ledger.lineage import trace
from wan_pipelines.ledger.prices import price_at
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.reports import videos
from wan_pipelines.rendering import clock
from wan_pipelines.studio import planning
from wan_pipelines.studio.studio import Studio

CENT = 10_000


def priced(project: Project, usd: str) -> Studio:
    """The deployment with another price for an hour of its laptop."""
    classes = {"laptop-cpu": {"device": "cpu", "price_usd_per_hour": usd}}
    project.environment(gpu_classes=classes)
    return project.studio()


def test_a_new_price_holds_for_later_work_only(
    quick_project: Project, monkeypatch: pytest.MonkeyPatch
):
    before = priced(quick_project, "0.10")
    render_edition(before, only=["a-red-ball-rising--square--s1"])
    charged = {video.shot: video.cost_micro_usd for video in videos(before.ledger, "demo")}
    after = priced(quick_project, "0.20")
    monkeypatch.setattr(clock, "age_ns", lambda: 0)  # a worker that is born now
    render_edition(after)
    shown = {video.shot: video for video in videos(after.ledger, "demo")}
    prices = {
        shot: trace(after.ledger, "demo", video.take_id).takes[-1].worker.micro_usd_per_gpu_hour
        for shot, video in shown.items()
    }
    assert prices == {
        "a-red-ball-rising--square--s1": 10 * CENT,
        "a-blue-box-falling--square--s1": 20 * CENT,
    }
    for shot, cost in charged.items():
        assert shown[shot].cost_micro_usd == cost


def test_reading_the_same_price_again_changes_nothing(quick_project: Project):
    first = price_at(priced(quick_project, "0.10").ledger, "laptop-cpu", datetime.now(UTC))
    again = price_at(priced(quick_project, "0.1000").ledger, "laptop-cpu", datetime.now(UTC))
    assert again == first


def test_a_first_price_holds_for_what_began_before_it_was_written(quick_project: Project):
    ledger = quick_project.studio().ledger
    assert price_at(ledger, "laptop-cpu", datetime(2020, 1, 1, tzinfo=UTC))


def test_a_new_plan_and_time_zone_bind_at_once(quick_project: Project):
    studio = quick_project.studio()
    planning.admit(studio, "balls", "one")
    quick_project.environment(
        plans={"free": {"shots_per_user_and_day": 1}},
        tenants={"demo": {"plan": "free", "time_zone": "Asia/Tokyo"}},
    )
    left = quota_left(quick_project.studio().ledger, "demo", "mira", now=datetime.now(UTC))
    assert (left.plan, left.limit, left.time_zone) == ("free", 1, "Asia/Tokyo")


def test_prices_are_exact(quick_project: Project):
    ledger = priced(quick_project, "2.690001").ledger
    found = price_at(ledger, "laptop-cpu", datetime.now(UTC)).micro_usd_per_gpu_hour
    assert found == Decimal("2.690001") * 1_000_000
