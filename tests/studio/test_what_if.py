"""The same campaign at another tier, shape, GPU class, or partly on spot."""

import json
from datetime import UTC, datetime

import pytest

from tests.cli.invoking import invoker
from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.prices import Price, publish_prices
from wan_pipelines.ledger.reports import edition_totals, videos
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.what_if import WhatIf, what_if

MEASURED = """\
clips: 16
tiers:
  draft: {processor_seconds: 0.37, prompt_fidelity: 0.83, vmaf: 31.6}
"""
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


def compared(project: Project, *changes: str) -> tuple[WhatIf, ...]:
    return what_if(project.studio(), "balls", "one", changes)


def test_another_tier_and_shape_cost_more_and_take_longer(quick_project: Project):
    as_is, tier, shape = compared(quick_project, "tier=standard", "shape=landscape")
    for other in (tier, shape):
        assert len(other.plan.estimates) == len(as_is.plan.estimates) == 2
        assert other.plan.gpu_seconds > as_is.plan.gpu_seconds
        low, high = other.cost_between_micro_usd
        assert low <= other.cost_micro_usd <= high
    assert {planned.shot.tier for planned in tier.plan.shots} == {"standard"}
    assert {planned.shot.request.width for planned in shape.plan.shots} == {64}
    assert {planned.shot.tier for planned in as_is.plan.shots} == {"draft"}


def test_more_workers_end_sooner(quick_project: Project):
    quick_project.campaign(seeds=list(range(40)))
    quick_project.environment(
        workers={"count": 2, "threads": 1, "shard_minutes": 0.01, "lease_seconds": 10}
    )
    _, one, four = compared(quick_project, "workers=1", "workers=4")
    assert four.plan.starts.wall_seconds < one.plan.starts.wall_seconds
    assert (one.plan.starts.at_a_time, four.plan.starts.at_a_time) == (1, 4)


def test_spot_is_blended_at_its_price(quick_project: Project):
    studio = quick_project.studio()
    spot = Price("laptop-cpu", 25_000, ALWAYS, "spot")
    publish_prices(studio.ledger, [spot], now=datetime.now(UTC))
    as_is, half, all_ = compared(quick_project, "spot_share=0.5", "spot_share=1")
    assert half.cost_micro_usd == pytest.approx(as_is.cost_micro_usd * 0.625, abs=1)
    assert all_.cost_micro_usd == pytest.approx(as_is.cost_micro_usd * 0.25, abs=1)
    assert half.plan.gpu_seconds == as_is.plan.gpu_seconds


def test_what_costs_nothing_has_no_share_that_is_dearer(quick_project: Project):
    free = {"laptop-cpu": {"device": "cpu", "price_usd_per_hour": "0"}}
    quick_project.environment(gpu_classes=free)
    spot = Price("laptop-cpu", 25_000, ALWAYS, "spot")
    publish_prices(quick_project.studio().ledger, [spot], now=datetime.now(UTC))
    assert {each.cost_micro_usd for each in compared(quick_project, "tier=standard")} == {0}
    with pytest.raises(InputError, match="costs nothing"):
        compared(quick_project, "spot_share=0.5")


def test_measured_quality_is_told_of_the_tier(quick_project: Project):
    folder = quick_project.studio().root / "assets" / "models" / "sample"
    (folder / "measured.yaml").write_text(MEASURED)
    as_is, other = compared(quick_project, "tier=standard")
    assert as_is.quality["draft"].vmaf == 31.6
    assert other.quality == {}


def test_what_is_rendered_already_is_reused_only_as_it_was_drawn(quick_project: Project):
    quick_project.campaign(budget_usd="1.00")
    studio = quick_project.studio()
    render_edition(studio)
    as_is, other = compared(quick_project, "tier=standard")
    assert as_is.plan.estimates == ()
    paid = edition_totals(studio.ledger, as_is.plan.edition).cost_micro_usd
    assert as_is.plan.budget_left_micro_usd == 1_000_000 - paid < 1_000_000
    assert len(other.plan.estimates) == 2
    assert len(videos(studio.ledger, "demo")) == 2, "nothing was withdrawn"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("tier", "Write NAME=VALUE"),
        ("tier=drafd", "^--what-if tier=drafd: .* Did you mean 'draft'?"),
        ("shape=round", "Known: landscape, square"),
        ("gpu_class=h200", "there is no GPU class 'h200'"),
        ("spot_share=2", "spot_share"),
        ("spot_share=0.5", "has no spot price"),
        ("colour=red", "colour"),
        ("workers=0", "workers"),
    ],
)
def test_what_cannot_be_is_told(quick_project: Project, change: str, words: str):
    with pytest.raises(InputError, match=words):
        compared(quick_project, change)


def test_the_command_shows_them_side_by_side(quick_project: Project):
    quick_project.campaign(tenant="small", budget_usd="1.00")
    wan = invoker(quick_project)
    asked = ("plan", "balls", "--edition", "one", "--what-if", "tier=standard")
    heading, as_is, other = wan(*asked).stdout.splitlines()
    assert heading.split()[:2] == ["What", "if"]
    assert as_is.startswith("as it is")
    assert other.startswith("tier=standard")
    first, second = json.loads(wan(*asked, "--json").stdout)["what_if"]
    assert (first["what_if"], second["what_if"]) == (None, "tier=standard")
    assert second["gpu_hours"] > first["gpu_hours"]
    assert second["budget_left_usd"] <= first["budget_left_usd"] < 1


def test_a_plan_says_what_is_left_then(quick_project: Project):
    month = {"usd": "2.00", "finish_at": "0.5"}
    quick_project.campaign(tenant="small", budget_usd="1.00", budget_per_month=month)
    wan = invoker(quick_project)
    limit, months, budget = json.loads(wan("plan", "balls", "--json").stdout)["left"]
    assert limit == {"what": "5 shots per user and day", "left": "5 shots", "after": "3 shots"}
    assert budget["what"] == "budget of the edition"
    assert months["what"] == f"budget of campaign balls in {datetime.now(UTC):%Y-%m}"
    assert (months["left"], budget["left"]) == ("1 USD", "1 USD")
    assert months["after"] == budget["after"] < "1 USD"
    assert "5 shots left, 3 shots then" in wan("plan", "balls").stdout
    before = json.loads(wan("plan", "balls", "--edition", "one", "--json").stdout)["left"]
    admit(quick_project.studio(), "balls", "one")
    again = wan("plan", "balls", "--edition", "one", "--json")
    limit, *budgets = json.loads(again.stdout)["left"]
    assert budgets == before[1:], "its own reservations are its cost"
    assert (limit["left"], limit["after"]) == ("3 shots", "3 shots")
