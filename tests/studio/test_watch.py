from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.page import pages_of
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.watch import Concern, compare, is_complete

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"
BALL_PROMPT, BOX_PROMPT = "a red ball rising", "a blue box falling"
FAULT = {BALL_PROMPT: RenderError("No.", stage="text")}


@pytest.fixture
def studio(quick_project: Project) -> Studio:
    """An edition of two videos that is as its brief wants it."""
    studio = quick_project.studio()
    render_edition(studio)
    return studio


def seen(studio: Studio, later: timedelta = timedelta()) -> Concern:
    return compare(studio, edition_key(studio, "balls", "one"), datetime.now(UTC) + later)


def complete(studio: Studio) -> bool:
    return is_complete(studio, edition_key(studio, "balls", "one"), datetime.now(UTC))


def files(project: Project, pattern: str) -> Iterator[Path]:
    return (project.state / "store").rglob(pattern)


def test_an_edition_as_the_brief_wants_it_is_no_concern(studio: Studio):
    concern = seen(studio)
    assert concern.shots == ()
    assert concern.summary == "edition one is as the brief wants it"
    assert complete(studio)


def test_an_edition_that_nobody_launched_is_not_complete(quick_project: Project):
    assert not complete(quick_project.studio())


def test_a_new_prompt_concerns_its_shot(studio: Studio, quick_project: Project):
    quick_project.campaign(prompts=[BALL_PROMPT, BOX_PROMPT, "a green cone turning"])
    after = quick_project.studio()
    assert seen(after).reasons == {"a-green-cone-turning--square--s1": "new"}
    assert seen(after).summary == "1 new"
    assert not complete(after)


def test_a_shot_that_was_withdrawn_and_comes_back_is_new(studio: Studio, quick_project: Project):
    quick_project.campaign(prompts=[BOX_PROMPT])
    admit(quick_project.studio(), "balls", "one")
    assert seen(quick_project.studio()).shots == ()
    quick_project.campaign()
    assert seen(quick_project.studio()).reasons == {BALL: "new"}


def test_a_prompt_that_is_gone_concerns_nobody_but_wants_another_page(
    studio: Studio, quick_project: Project
):
    quick_project.campaign(prompts=[BALL_PROMPT])
    assert seen(quick_project.studio()).shots == ()
    assert not complete(quick_project.studio())


def test_a_changed_prompt_of_a_named_shot_concerns_it(quick_project: Project):
    quick_project.campaign(prompts=[{"prompt": BALL_PROMPT, "name": "ball"}, BOX_PROMPT])
    render_edition(quick_project.studio())
    quick_project.campaign(prompts=[{"prompt": "a red ball sinking", "name": "ball"}, BOX_PROMPT])
    assert seen(quick_project.studio()).reasons == {"ball--square--s1": "changed"}


def test_another_tier_or_release_concerns_all_shots(studio: Studio, quick_project: Project):
    quick_project.campaign(tier="standard")
    assert set(seen(quick_project.studio()).reasons.values()) == {"changed"}
    quick_project.campaign()
    assert seen(quick_project.studio()).shots == ()
    quick_project.release(boundary_ratio=0.5)
    assert seen(quick_project.studio()).reasons == {BALL: "changed", BOX: "changed"}
    assert seen(quick_project.studio()).summary == "2 changed"


def test_a_title_or_price_concerns_no_shot(studio: Studio, quick_project: Project):
    quick_project.campaign(title="Bouncing balls", budget_usd="3")
    assert seen(quick_project.studio()).shots == ()


def test_a_lost_file_concerns_its_shot(studio: Studio, quick_project: Project):
    next(files(quick_project, "preview.webp")).unlink()
    (reason,) = seen(studio).reasons.values()
    assert reason == "lost or damaged"
    assert not complete(studio)


def test_what_was_not_rendered_is_unfinished(quick_project: Project):
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    assert seen(studio).reasons == {BALL: "unfinished", BOX: "unfinished"}


def test_a_shot_that_failed_rests_then_is_tried_again_then_rests_for_good(quick_project: Project):
    quick_project.environment(rerender={"first_backoff_seconds": 60, "failures_until_rest": 2})
    studio = quick_project.studio()
    render_edition(studio, faults=FAULT)
    assert (seen(studio).shots, seen(studio).resting) == ((), 1)
    assert seen(studio).summary == "edition one is as the brief wants it; 1 failed shots rest"
    assert not complete(studio)
    assert seen(studio, timedelta(minutes=2)).reasons == {BALL: "unfinished"}
    render_edition(studio, faults=FAULT)
    assert seen(studio, timedelta(days=365)).shots == ()


def test_a_rendition_that_is_asked_for_later_concerns_its_shots(
    studio: Studio, quick_project: Project
):
    quick_project.campaign(renditions=["h264", "h264-half"])
    assert set(seen(quick_project.studio()).reasons.values()) == {"lacking a rendition"}
    render_edition(quick_project.studio())
    assert complete(quick_project.studio())


def test_a_refused_shot_is_a_concern_when_the_quota_allows_it(quick_project: Project):
    quick_project.campaign(tenant="small", seeds=[1, 2, 3])
    studio = quick_project.studio()
    render_edition(studio)
    assert seen(studio).shots == ()
    assert seen(studio).summary == "edition one is as the brief wants it; refused: 1"
    assert complete(studio)
    (reason,) = seen(studio, timedelta(days=1)).reasons.values()
    assert reason == "within quota again"


def test_prompts_that_screening_stopped_are_no_concern(quick_project: Project):
    quick_project.campaign(prompts=[BOX_PROMPT, "x" * 600])
    studio = quick_project.studio()
    render_edition(studio)
    assert seen(studio).shots == ()
    assert complete(studio)


@pytest.mark.parametrize("plan", [{"shots_per_user_and_day": 1}, {"tiers": ["finest"]}])
def test_an_edition_is_incomplete_once_its_plan_lets_more_pass(
    quick_project: Project, plan: dict[str, object]
):
    quick_project.environment(plans={"free": plan}, tenants={"demo": {"plan": "free"}})
    studio = quick_project.studio()
    render_edition(studio)
    assert complete(studio)
    quick_project.environment(
        plans={"free": {"shots_per_user_and_day": 2}}, tenants={"demo": {"plan": "free"}}
    )
    assert not complete(quick_project.studio())


def test_a_lost_page_makes_an_edition_incomplete(studio: Studio, quick_project: Project):
    edition: EditionKey = edition_key(studio, "balls", "one")
    studio.store.delete(pages_of(edition).page)
    assert not complete(studio)


def test_the_digest_changes_with_the_wish_and_with_every_attempt(quick_project: Project):
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    first = seen(studio)
    assert seen(studio) == first
    render_edition(studio, faults=FAULT)
    tried = seen(studio, timedelta(days=1))
    assert (tried.wish, tried.digest != first.digest) == (first.wish, True)
    quick_project.campaign(negative_prompt="blurry")
    assert seen(quick_project.studio()).wish != first.wish


def test_a_duplicate_of_a_shot_that_failed_is_no_concern_of_its_own(quick_project: Project):
    quick_project.campaign(prompts=[BALL_PROMPT, BALL_PROMPT, BOX_PROMPT])
    studio = quick_project.studio()
    render_edition(studio, faults=FAULT)
    assert (seen(studio).shots, seen(studio).resting) == ((), 1)
