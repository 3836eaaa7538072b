from datetime import UTC, datetime, timedelta

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.reports import videos
from wan_pipelines.ledger.reviews import Ruling, review
from wan_pipelines.ledger.whose import House
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.planning import preview
from wan_pipelines.studio.prompts import PromptOrder, preview_prompt, render_prompt
from wan_pipelines.studio.reviews import held_prompts, prompt_id, prompt_named
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.watch import compare, is_complete

BRACKETS = "a ((red)) ball " + "slowly " * 80 + "rising"
OTHER = "a ((blue)) box " + "slowly " * 80 + "falling"


@pytest.fixture
def studio(quick_project: Project) -> Studio:
    """An edition with a prompt that is held, twice, and one that is rendered."""
    quick_project.campaign(prompts=[BRACKETS, "a blue box falling"], seeds=[1, 2])
    studio = quick_project.studio()
    render_edition(studio)
    return studio


def decide(studio: Studio, decision: Ruling, tenant: str = "demo", text: str = BRACKETS) -> None:
    review(studio.ledger, tenant, text, decision, decided_by="mira", now=datetime.now(UTC))


def reasons(studio: Studio) -> set[str]:
    now = datetime.now(UTC) + timedelta(seconds=1)
    return set(compare(studio, edition_key(studio, "balls", "one"), now).reasons.values())


def test_a_held_prompt_is_listed_once_with_its_reason_and_editions(studio: Studio):
    (held,) = held_prompts(studio, "demo")
    assert (held.tenant, held.text, held.shots) == ("demo", BRACKETS, 2)
    assert held.editions == ("balls/one",)
    assert held.reason == "The text is longer than 512 characters and contains nested brackets."
    assert held_prompts(studio, House("operator")) == (held,)
    assert held_prompts(studio, "small") == ()


def test_a_held_negative_prompt_is_listed_as_well(quick_project: Project):
    quick_project.campaign(prompts=["a red ball rising"], negative_prompt=BRACKETS)
    studio = quick_project.studio()
    render_edition(studio)
    assert [prompt.text for prompt in held_prompts(studio, "demo")] == [BRACKETS]
    decide(studio, "released")
    assert render_edition(studio).counts == {"admitted": 1}


def test_what_was_released_is_a_concern_and_rendered_by_the_next_launch(studio: Studio):
    assert len(videos(studio.ledger, "demo")) == 2
    assert reasons(studio) == set()
    decide(studio, "released")
    assert held_prompts(studio, "demo") == ()
    assert reasons(studio) == {"released"}
    assert preview(studio, "balls", "one").counts == {"admitted": 4}
    render_edition(studio)
    assert len(videos(studio.ledger, "demo")) == 4
    assert reasons(studio) == set()


def test_what_was_rejected_says_by_whom_and_can_be_released_later(studio: Studio):
    decide(studio, "rejected")
    assert held_prompts(studio, "demo") == ()
    plan = render_edition(studio)
    assert plan.counts == {"rejected": 2, "admitted": 2}
    assert "mira rejected the prompt." in {planned.reason for planned in plan.shots}
    edition = edition_key(studio, "balls", "one")
    assert is_complete(studio, edition, datetime.now(UTC))
    decide(studio, "released")
    assert reasons(studio) == {"released"}
    assert render_edition(studio).counts == {"admitted": 4}


def test_a_release_changes_nothing_about_what_the_rules_reject(quick_project: Project):
    quick_project.campaign(prompts=["x" * 600])
    studio = quick_project.studio()
    decide(studio, "released", text="x" * 600)
    assert preview(studio, "balls", "one").counts == {"rejected": 1}


def test_a_release_is_one_tenants(studio: Studio, quick_project: Project):
    quick_project.campaign("theirs", tenant="small", prompts=[BRACKETS])
    render_edition(studio, campaign="theirs")
    decide(studio, "released")
    assert [held.tenant for held in held_prompts(studio, House("operator"))] == ["small"]
    assert preview(studio, "theirs", "one").counts == {"held": 1}


def test_a_prompt_is_named_by_the_beginning_of_its_id(studio: Studio):
    name = prompt_id(BRACKETS)
    assert prompt_named(studio, name, House("operator")) == ("demo", BRACKETS)
    assert prompt_named(studio, name[:4], "demo") == ("demo", BRACKETS)
    for nobody in ("", "nothing"):
        with pytest.raises(InputError, match="`wan prompts` lists those"):
            prompt_named(studio, nobody, House("operator"))
    with pytest.raises(InputError, match="is held"):
        prompt_named(studio, name, "small")
    decide(studio, "released")
    assert prompt_named(studio, name, House("operator")) == ("demo", BRACKETS)


def test_a_prompt_of_two_tenants_wants_to_know_whose(studio: Studio, quick_project: Project):
    quick_project.campaign("theirs", tenant="small", prompts=[BRACKETS, OTHER])
    render_edition(studio, campaign="theirs")
    with pytest.raises(InputError, match=r"means 2 prompts, of demo, small.*--tenant"):
        prompt_named(studio, prompt_id(BRACKETS), House("operator"))
    assert prompt_named(studio, prompt_id(BRACKETS), "small") == ("small", BRACKETS)
    assert prompt_named(studio, prompt_id(OTHER), House("operator")) == ("small", OTHER)


def test_a_prompt_that_was_typed_in_can_be_released_too(quick_project: Project):
    studio = quick_project.studio()
    order = PromptOrder(prompt=BRACKETS)
    assert preview_prompt(studio, order).counts == {"held": 1}
    with pytest.raises(InputError, match="The prompt is held"):
        render_prompt(studio, order, RunReference("run", "step"), say=print)
    (held,) = held_prompts(studio, House("operator"))
    decide(studio, "released", text=held.text)
    assert preview_prompt(studio, order).counts == {"admitted": 1}
