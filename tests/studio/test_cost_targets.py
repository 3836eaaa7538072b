"""Whether videos cost what they may, and what is written where they do not."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.reports.spending_rows import COLUMNS, MEASURES
from wan_pipelines.studio.cost_settings import AT_720P, CostSettings, CostTarget
from wan_pipelines.studio.cost_targets import judge, verdicts
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.optimisation_pages import write_optimisation

CHEAP = CostTarget(usd_per_video=Decimal("0.01"), release="wan-tiny")
SETTINGS = CostSettings(targets=(CHEAP, AT_720P))
FOLDER = "tenants/demo/campaigns/balls/one"


def take(key: str | None, micro_usd: int, **changes: Any) -> dict[str, Any]:
    """A take of a 720p video that was accepted."""
    row: dict[str, Any] = {name: name for name in COLUMNS["take"]} | dict.fromkeys(MEASURES, 0)
    row |= {"width": 720, "height": 1280, "frames": 81, "take": key, "render_key": key}
    return row | {"videos": 1, "micro_usd": micro_usd, "denoise_micro_usd": micro_usd} | changes


def test_the_default_is_eight_cents_for_a_video_at_720p():
    assert [(t.name, t.usd_per_video) for t in CostSettings().targets] == [
        ("720p", Decimal("0.08"))
    ]


def test_failed_attempts_count_against_the_video():
    failed = take("a", 50_000, take="other", videos=0, wasted_micro_usd=50_000)
    (found,) = verdicts([take("a", 60_000), failed, take("b", 40_000)], SETTINGS)
    assert (found.videos, found.within, found.each_micro_usd) == (2, 1, 75_000)
    assert found.met
    assert found.wasted_micro_usd == 50_000


def test_a_target_is_missed_by_a_micro_dollar():
    assert verdicts([take("a", 80_000)], SETTINGS)[0].met
    assert not verdicts([take("a", 80_001)], SETTINGS)[0].met


def test_a_video_counts_for_the_first_target_that_fits():
    tiny = take("a", 10_001, release="wan-tiny")
    found = {each.target: each for each in verdicts([tiny, take("b", 1)], SETTINGS)}
    assert not found[CHEAP].met
    assert found[AT_720P].met
    assert verdicts([take("c", 1, width=96, height=64)], SETTINGS) == ()


def test_what_belongs_to_no_take_is_shared_among_targets_to_the_micro_dollar():
    nobodys = take(None, 7, videos=0, denoise_micro_usd=0, load_micro_usd=7)
    takes = [nobodys, take("a", 100, release="wan-tiny"), take("b", 200)]
    found = verdicts(takes, SETTINGS)
    assert sorted(each.paid_micro_usd for each in found) == [102, 205]
    assert sorted(each.kinds["load"] for each in found) == [2, 5], "what it was spent on"


def test_videos_of_two_tenants_are_two_though_their_pixels_are_the_same():
    (found,) = verdicts([take("a", 70_000), take("a", 90_000, tenant="other")], SETTINGS)
    assert (found.videos, found.within, found.each_micro_usd) == (2, 1, 80_000)


def test_money_without_a_video_misses_the_target():
    (found,) = verdicts([take("a", 5, videos=0)], SETTINGS)
    assert (found.met, found.each_micro_usd) == (False, None)


@pytest.mark.parametrize("met", [True, False])
def test_an_edition_that_misses_its_target_gets_a_report_and_another_does_not(
    quick_project: Project, met: bool
):
    price = "1000" if met else "0.000001"
    quick_project.environment(costs={"targets": [{"usd_per_video": price}]})
    studio = quick_project.studio()
    render_edition(studio, faults={"a red ball rising": RenderError("no", stage="decode")})
    edition = edition_key(studio, "balls", "one")
    studio.store.put_bytes(f"{FOLDER}/optimisation.json", b"of an earlier run")
    verdict = judge(studio, edition)
    page = write_optimisation(studio, edition, verdict)
    if met:
        assert page is None
        assert studio.store.stat(f"{FOLDER}/optimisation.json") is None
        return
    assert page == f"{FOLDER}/optimisation.html"
    written = studio.store.read_bytes(f"{FOLDER}/optimisation.html")
    assert b"Nothing that is known would have met it" in written
    told = json.loads(studio.store.read_bytes(f"{FOLDER}/optimisation.json"))
    (missed,) = told["missed"]
    assert sum(missed["kinds"].values()) == missed["paid_micro_usd"]
    as_it_was = missed["ways"][0]
    assert (as_it_was["changes"], as_it_was["tier"]) == ([], "draft")
    assert {way["tier"] for way in missed["ways"]} == {"draft", "standard"}
    assert all(way["prompt_fidelity"] is None for way in missed["ways"])


def test_ways_that_meet_the_target_come_first_and_the_fewest_changes_before_others(
    quick_project: Project,
):
    classes = {
        "laptop-cpu": {"device": "cpu", "price_usd_per_hour": "1000"},
        "cheap": {"device": "cpu", "price_usd_per_hour": "0.000001"},
        "ordered": {
            "device": "cpu",
            "prices": [{"usd_per_hour": "0.000001", "valid_from": "2999-01-01"}],
        },
    }
    quick_project.environment(
        gpu_classes=classes, costs={"targets": [{"usd_per_video": "0.000001"}]}
    )
    (quick_project.root / "assets/models/sample/measured.yaml").write_text(
        "clips: 4\ntiers: {standard: {processor_seconds: 1, prompt_fidelity: 0.9, vmaf: 91}}\n"
    )
    studio = quick_project.studio()
    render_edition(studio)
    edition = edition_key(studio, "balls", "one")
    write_optimisation(studio, edition, judge(studio, edition))
    told = json.loads(studio.store.read_bytes(f"{FOLDER}/optimisation.json"))
    ways = told["missed"][0]["ways"]
    assert [way["meets"] for way in ways] == sorted((way["meets"] for way in ways), reverse=True)
    assert ways[0]["changes"] == ["GPU class cheap"]
    assert {way["gpu_class"] for way in ways if way["meets"]} == {"cheap"}
    assert {way["vmaf"] for way in ways if way["tier"] == "standard"} == {91.0}
    assert {way["vmaf"] for way in ways if way["tier"] == "draft"} == {None}
