import sqlite3
from datetime import UTC, datetime

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.studio.planning import admit, preview
from wan_pipelines.studio.plans import EditionPlan
from wan_pipelines.studio.studio import Studio

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"
BRACKETS = "a ((red)) ball " + "slowly " * 80 + "rising"
DEAR = {"laptop-cpu": {"device": "cpu", "price_usd_per_hour": "100000"}}


def states(plan: EditionPlan) -> dict[str, str]:
    return {planned.shot.name: planned.state for planned in plan.shots}


def dump(project: Project) -> str:
    """All that the ledger holds."""
    with sqlite3.connect(project.state / "ledger.sqlite") as database:
        return "\n".join(database.iterdump())


def test_a_preview_decides_as_an_admission_and_changes_nothing(quick_project: Project):
    studio = quick_project.studio()
    before = dump(quick_project)
    seen = preview(studio, "balls", "one")
    assert dump(quick_project) == before
    assert not (quick_project.state / "store").exists()
    assert admit(studio, "balls", "one") == seen
    assert states(seen) == {BALL: "admitted", BOX: "admitted"}


def test_admitting_again_changes_nothing(quick_project: Project):
    studio = quick_project.studio()
    first = admit(studio, "balls", "one")
    used = quota_left(studio.ledger, "demo", "mira", now=datetime.now(UTC)).used
    assert admit(studio, "balls", "one") == first
    assert quota_left(studio.ledger, "demo", "mira", now=datetime.now(UTC)).used == used == 2


def test_the_cost_is_estimated_at_the_price_of_the_environment(quick_project: Project):
    quick_project.environment(
        gpu_classes={
            "laptop-cpu": {"device": "cpu", "price_usd_per_hour": "3.60", "gpu_count": 2},
        }
    )
    plan = preview(quick_project.studio(), "balls", "one")
    assert plan.gpu_seconds > 0
    for planned in plan.shots:
        assert planned.renders
        assert planned.cost_micro_usd == pytest.approx(planned.gpu_seconds * 2000, abs=1)


def test_a_budget_refuses_what_is_expected_to_exceed_it(quick_project: Project):
    quick_project.environment(gpu_classes=DEAR)
    quick_project.campaign(budget_usd="0.000001")
    refused = preview(quick_project.studio(), "balls", "one")
    assert refused.counts == {"refused": 2}
    assert "raise budget_usd or budget.usd and run it again" in refused.shots[0].reason
    quick_project.campaign(budget_usd="0.000001", over_budget="notify")
    assert preview(quick_project.studio(), "balls", "one").counts == {"admitted": 2}


@pytest.mark.parametrize(("budget", "over"), [("0.000001", True), ("1000", False), (None, False)])
def test_a_plan_says_whether_it_exceeds_the_budget(
    quick_project: Project, budget: str | None, over: bool
):
    quick_project.campaign(budget_usd=budget)
    assert preview(quick_project.studio(), "balls", "one").over_budget is over


def test_screening_stops_prompts_with_reason_and_hint(quick_project: Project):
    quick_project.campaign(
        prompts=[
            {"prompt": "a red ball rising", "name": "fine"},
            {"prompt": "x" * 513, "name": "long"},
            {"prompt": "a ball 😀😀😀😀😀", "name": "emoji"},
            {"prompt": BRACKETS, "name": "brackets"},
            {"prompt": "a ball\x1b[31m", "name": "control"},
        ]
    )
    plan = admit(quick_project.studio(), "balls", "one")
    by_name = {planned.shot.name.partition("--")[0]: planned for planned in plan.shots}
    assert {name: planned.state for name, planned in by_name.items()} == {
        "fine": "admitted",
        "long": "rejected",
        "emoji": "rejected",
        "brackets": "held",
        "control": "rejected",
    }
    assert by_name["long"].reason == "The text is longer than 512 characters."
    assert by_name["long"].hint.startswith("Shorten the prompt")
    assert by_name["emoji"].why == f"{by_name['emoji'].reason} {by_name['emoji'].hint}"
    assert (by_name["fine"].why, by_name["fine"].renders) == ("", True)
    assert not by_name["brackets"].renders
    assert by_name["brackets"].cost_micro_usd == 0


def test_what_the_quota_refuses_is_told_with_reason_and_time(quick_project: Project):
    quick_project.campaign(tenant="small", seeds=[1, 2, 3, 4])
    studio = quick_project.studio()
    plan = admit(studio, "balls", "one")
    assert plan.counts == {"admitted": 5, "refused": 3}
    refused = [planned for planned in plan.shots if planned.state == "refused"]
    left = quota_left(studio.ledger, "small", "mira", now=datetime.now(UTC))
    assert left.left == 0
    for planned in refused:
        assert "limit of 5 shots a day for user mira (plan free)" in planned.reason
        assert planned.may_run_at == left.resets_at
        assert not planned.renders


def test_a_shot_that_stands_twice_is_rendered_once(quick_project: Project):
    quick_project.campaign(prompts=["a red ball rising", "a red ball rising"])
    plan = admit(quick_project.studio(), "balls", "one")
    assert states(plan) == {BALL: "admitted", f"{BALL}--2": "duplicate"}


def test_a_shot_that_another_campaign_rendered_is_reused(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    quick_project.campaign("more", prompts=["a red ball rising", "a green cone turning"])
    plan = preview(studio, "more", "first")
    assert states(plan)[BALL] == "reused"
    reused = next(planned for planned in plan.shots if planned.state == "reused")
    assert "balls/one" in reused.reason
    assert (reused.renders, reused.cost_micro_usd) == (False, 0)


def test_what_an_edition_has_rendered_is_not_rendered_again(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    again = preview(studio, "balls", "one")
    assert [(p.state, p.renders, p.gpu_seconds) for p in again.shots] == [
        ("admitted", False, 0)
    ] * 2


def test_only_the_named_shots_are_decided_about(quick_project: Project):
    studio = quick_project.studio()
    assert states(admit(studio, "balls", "one", only=[BOX])) == {BOX: "admitted"}
    assert states(admit(studio, "balls", "one")) == {BALL: "admitted", BOX: "admitted"}


def test_a_name_that_no_shot_has_is_told_with_the_one_that_was_meant(quick_project: Project):
    with pytest.raises(InputError, match=f"no shot 'a-red-ball'.*{BALL}|Did you mean"):
        preview(quick_project.studio(), "balls", "one", only=["a-red-ball"])


def test_a_tenant_that_the_environment_does_not_know_is_an_error(quick_project: Project):
    quick_project.campaign(tenant="nobody")
    with pytest.raises(InputError, match="tenant 'nobody' is not known in environment 'local'"):
        preview(quick_project.studio(), "balls", "one")


@pytest.mark.parametrize("edition", ["", "../one", "a/b", "a...b", "x" * 101, "a\n"])
def test_the_key_of_an_edition_is_a_plain_name(quick_project: Project, edition: str):
    with pytest.raises(InputError, match="cannot be the key of an edition"):
        admit(quick_project.studio(), "balls", edition)


def lose_poster(project: Project, shot: str) -> Studio:
    """A rendered edition of which one shot's poster is gone."""
    studio = project.studio()
    render_edition(studio)
    key = next(
        p.shot.render_key for p in preview(studio, "balls", "one").shots if p.shot.name == shot
    )
    (poster,) = (project.state / "store").rglob(f"{key}/*/poster.webp")
    poster.unlink()
    return studio


def test_a_shot_whose_files_are_lost_is_planned_and_admitted_again(quick_project: Project):
    studio = lose_poster(quick_project, BALL)
    seen = {planned.shot.name: planned for planned in preview(studio, "balls", "one").shots}
    assert (seen[BALL].renders, seen[BALL].reason) == (True, "its files are lost or damaged")
    assert not seen[BOX].renders
    admitted = {planned.shot.name: planned for planned in admit(studio, "balls", "one").shots}
    assert {name for name, planned in admitted.items() if planned.renders} == {BALL}


def test_a_new_edition_does_not_reuse_what_is_lost(quick_project: Project):
    studio = lose_poster(quick_project, BALL)
    seen = preview(studio, "balls", "two")
    plan = admit(studio, "balls", "two")
    assert states(seen) == states(plan)
    assert (seen.gpu_seconds, seen.cost_micro_usd) == (plan.gpu_seconds, plan.cost_micro_usd)
    assert {p.shot.name: (p.state, p.renders) for p in plan.shots} == {
        BALL: ("admitted", True),
        BOX: ("reused", False),
    }


def test_a_preview_counts_what_is_lost_against_the_quota(quick_project: Project):
    quick_project.campaign(tenant="small")
    lose_poster(quick_project, BALL)
    quick_project.campaign(tenant="small", seeds=[1, 2, 3])
    studio = quick_project.studio()
    seen = preview(studio, "balls", "one")
    assert seen.counts == {"admitted": 4, "refused": 2}
    assert states(seen) == states(admit(studio, "balls", "one"))
