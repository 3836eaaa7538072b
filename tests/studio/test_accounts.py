from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import InputError, LedgerError
from wan_pipelines.ledger.lineage import trace
from wan_pipelines.ledger.postings import POSTINGS
from wan_pipelines.ledger.prices import price_at, price_periods
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.reports import videos
from wan_pipelines.ledger.whose import House
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


def test_prices_may_be_declared_with_the_days_on_which_they_begin(quick_project: Project):
    prices = [
        {"usd_per_hour": "0.10", "valid_from": "2026-01-01"},
        {"usd_per_hour": "0.08", "valid_from": "2999-06-01T12:00:00+02:00"},
    ]
    classes = {"laptop-cpu": {"device": "cpu", "prices": prices}}
    quick_project.environment(gpu_classes=classes)
    ledger = quick_project.studio().ledger
    begins = datetime(2999, 6, 1, 10, tzinfo=UTC)
    assert price_at(ledger, "laptop-cpu", begins).micro_usd_per_gpu_hour == 8 * CENT
    before = begins - timedelta(microseconds=1)
    assert price_at(ledger, "laptop-cpu", before).micro_usd_per_gpu_hour == 10 * CENT
    prices[1]["usd_per_hour"] = "0.07"
    quick_project.environment(gpu_classes=classes)
    with pytest.raises(LedgerError, match=r"already costs 80000 .* later `valid_from`"):
        quick_project.studio()


def test_a_class_has_either_a_price_or_a_list_of_them(quick_project: Project):
    one = {"usd_per_hour": "0.10", "valid_from": "2026-01-01"}
    for wrong, told in (
        ({}, "either price_usd_per_hour or prices"),
        ({"price_usd_per_hour": "1", "prices": [one]}, "either price_usd_per_hour or prices"),
        ({"prices": [one, {**one}]}, "two of its prices begin at the same moment"),
    ):
        quick_project.environment(gpu_classes={"laptop-cpu": {"device": "cpu", **wrong}})
        with pytest.raises(InputError, match=told):
            quick_project.studio()


def test_work_on_spot_pods_is_paid_as_spot(quick_project: Project):
    spot = {"device": "cpu", "price_usd_per_hour": "0.03", "kubernetes": {"capacity": "spot"}}
    quick_project.environment(gpu_classes={"laptop-cpu": spot})
    studio = quick_project.studio()
    render_edition(studio, only=["a-red-ball-rising--square--s1"])
    (price,) = price_periods(studio.ledger)
    assert (price.price.market, price.price.micro_usd_per_gpu_hour) == ("spot", 3 * CENT)
    with studio.ledger.read(House("audit")) as session:
        assert session.scalars(select(POSTINGS.c.market).distinct()).all() == ["spot"]
