from dataclasses import replace
from typing import Any

import pytest

from tests.support.project import Project
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.forecasts import outcomes
from wan_pipelines.ledger.reports import videos
from wan_pipelines.ledger.whose import House
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.prompts import (
    PromptOrder,
    admit_prompt,
    edition_of,
    preview_prompt,
    render_prompt,
    shot_of,
)
from wan_pipelines.studio.shards import OpenEngine
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.videos import Published

ORDER = PromptOrder(prompt="a red ball rising", release="sample", tenant="demo", user="mira")


def null_engine(studio: Studio, release: str) -> Engine:
    return NullEngine(studio.release(release))


def no_engine(studio: Studio, release: str) -> Engine:
    raise AssertionError("There is nothing to render.")


def made(
    studio: Studio, order: PromptOrder = ORDER, open_engine: OpenEngine = null_engine
) -> Published:
    run = RunReference("run-1", "prompt__video")
    return render_prompt(studio, order, run, say=lambda words: None, open_engine=open_engine)


def test_a_prompt_becomes_a_video_with_a_page_of_its_own(quick_project: Project):
    studio = quick_project.studio()
    admit_prompt(studio, ORDER, "run-1", say=lambda words: None)
    published = made(studio)
    assert [forecast.state for forecast in outcomes(studio.ledger, "demo")] == ["ended"]
    (video,) = videos(studio.ledger, "demo")
    assert (video.campaign, video.prompt, video.user) == ("prompt", "a red ball rising", "mira")
    assert (video.width, video.frames, video.seed) == (32, 5, 1)
    page = studio.store.read_bytes(published.pages.page).decode()
    assert "a red ball rising" in page
    assert published.edition.edition in published.pages.page


def test_a_preview_costs_nothing_and_changes_nothing(quick_project: Project):
    studio = quick_project.studio()
    (planned,) = preview_prompt(studio, ORDER).shots
    assert planned.renders
    assert planned.gpu_seconds > 0
    assert videos(studio.ledger, "demo") == ()


def test_the_same_prompt_is_rendered_once(quick_project: Project):
    studio = quick_project.studio()
    first = made(studio)
    assert made(studio, open_engine=no_engine).shots == first.shots
    assert made(studio, replace(ORDER, seed=2)).edition != first.edition


def test_a_prompt_whose_video_is_lost_is_rendered_again(quick_project: Project):
    studio = quick_project.studio()
    before = made(studio)
    next((quick_project.state / "store").rglob("h264.mp4")).unlink()
    assert preview_prompt(studio, ORDER).shots[0].renders
    after = made(studio)
    assert after.broken == ()
    assert after.shots[0].take_id != before.shots[0].take_id


def test_what_is_left_open_is_what_the_release_recommends(quick_project: Project):
    studio = quick_project.studio()
    shot = shot_of(studio, ORDER)
    assert (shot.tier, shot.request.frames, shot.request.width) == ("draft", 5, 32)
    wanted = replace(ORDER, tier="standard", shape="landscape", frames=9, negative_prompt="blurry")
    shot = shot_of(studio, wanted)
    assert (shot.tier, shot.request.frames, shot.request.width) == ("standard", 9, 64)
    assert shot.request.negative_prompt == "blurry"
    assert edition_of(studio, wanted, shot).edition == shot.render_key[:16]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "  "}, "There is nothing in it"),
        ({"prompt": "x" * 600}, "rejected: The text is longer than 512 characters. Shorten"),
        ({"prompt": "a ((red)) ball " + "slowly " * 80}, "held: The text is longer"),
        ({"release": "sampel"}, "Did you mean 'sample'?"),
        ({"shape": "sqare"}, "Did you mean 'square'?"),
        ({"frames": 6}, "`frames` is 6"),
        ({"tier": "best"}, "best"),
        ({"tenant": "nobody"}, "tenant 'nobody' is not known"),
        ({"seed": -1}, "seeds"),
    ],
)
def test_an_order_that_cannot_be_filled_is_answered_with_what_to_do(
    quick_project: Project, changes: dict[str, str | int], words: str
):
    order = replace(ORDER, **changes)
    with pytest.raises(InputError) as told:
        made(quick_project.studio(), order, no_engine)
    assert words in str(told.value)


def test_an_order_that_names_nobody_is_on_whose_account_the_environment_says(
    quick_project: Project,
):
    quick_project.environment(prompts={"release": "sample", "tenant": "small", "user": "zoe"})
    studio = quick_project.studio()
    made(studio, PromptOrder(prompt="a red ball rising"))
    (video,) = videos(studio.ledger, House("operator"))
    assert (video.tenant, video.user, video.release) == ("small", "zoe", "sample")


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"shots_per_user_and_day": 0}, r"limit of 0 shots a day .* have it raised"),
        ({"per_day": {"usd": "0"}}, r"limit of 0 USD a day for tenant demo .* needed; "),
        ({"tiers": ["finest"]}, r"rejected: Plan free has no tier draft. What it has: finest"),
        ({"largest": {"width": 16, "height": 16}}, r"rejected: Plan free ends at 16x16"),
        ({"largest": {"width": 999, "height": 999, "frames": 1}}, r"ends at 1 frames"),
    ],
)
def test_an_order_beyond_the_plan_is_refused(
    quick_project: Project, plan: dict[str, Any], told: str
):
    quick_project.environment(plans={"free": plan}, tenants={"demo": {"plan": "free"}})
    with pytest.raises(InputError, match=told):
        made(quick_project.studio(), ORDER, no_engine)
