import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.campaigns.screening import Rules, load_rules
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.reports import ShotView, edition_shots_view
from wan_pipelines.pages import view
from wan_pipelines.storage.keys import page_key
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.shot_view import shot_view, state_of
from wan_pipelines.studio.studio import Studio

NO_RULES = Rules(rules=())


def rows(studio: Studio, campaign: str = "balls") -> dict[str, ShotView]:
    """The shots of edition `one`, by the beginning of their names."""
    shots = edition_shots_view(studio.ledger, edition_key(studio, campaign, "one"))
    return {shot.shot.partition("--")[0]: shot for shot in shots}


def shown(studio: Studio, name: str, rules: Rules | None = None) -> view.ShotView:
    page = page_key("demo", "balls", "one")
    return shot_view("demo", rows(studio)[name], page, rules or load_rules())


def test_every_fate_of_a_shot_has_its_word(quick_project: Project):
    quick_project.campaign("first", prompts=["a red ball rising"])
    render_edition(quick_project.studio(), campaign="first")
    quick_project.campaign(
        prompts=[
            {"prompt": "a red ball rising", "name": "known"},
            {"prompt": "a blue box falling", "name": "fine"},
            {"prompt": "a green cone turning", "name": "broken"},
            {"prompt": "x" * 600, "name": "long"},
            {"prompt": "a ((red)) ball " + "slowly " * 80, "name": "brackets"},
            {"prompt": "a blue box falling", "name": "twin"},
        ]
    )
    fault = RenderError("No.", stage="denoise")
    studio = quick_project.studio()
    render_edition(studio, faults={"a green cone turning": fault})
    assert {name: state_of(row) for name, row in rows(studio).items()} == {
        "known": "reused",
        "fine": "rendered",
        "broken": "failed",
        "long": "rejected",
        "brackets": "held",
        "twin": "duplicate",
    }
    broken = shown(studio, "broken")
    assert (broken.error_text, broken.error_stage, broken.attempts) == ("No.", "denoise", 1)


def test_what_waits_is_refused_or_withdrawn_has_its_word_too(quick_project: Project):
    quick_project.environment(
        plans={"free": {"shots_per_user_and_day": 1}}, tenants={"demo": {"plan": "free"}}
    )
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    assert [state_of(row) for row in rows(studio).values()] == ["waiting", "refused"]
    quick_project.campaign(prompts=["a red ball rising"])
    admit(quick_project.studio(), "balls", "one")
    assert [state_of(row) for row in rows(studio).values()] == ["waiting", "withdrawn"]


def test_a_rendered_shot_shows_what_it_is_made_from_and_where_it_lies(quick_project: Project):
    quick_project.campaign(renditions=["h264", "h264-half"])
    studio = quick_project.studio()
    render_edition(studio)
    row = rows(studio)["a-red-ball-rising"]
    seen = shown(studio, "a-red-ball-rising")
    base = f"../../../videos/{row.render_key[:2]}/{row.render_key}/{row.take_id}"
    assert seen.poster_href == f"{base}/poster.webp"
    assert seen.preview_href == f"{base}/preview.webp"
    assert seen.manifest_href == f"{base}/manifest.json"
    assert [file.name for file in seen.renditions] == ["h264", "h264-half"]
    identity = studio.release("sample").identity
    assert seen.parents == (f"release sample {identity[:12]}", "run run")
    assert (seen.cost_micro_usd, seen.gpu_seconds > 0) == (row.cost_micro_usd, True)
    assert [stage.name for stage in seen.stages] == [
        "text",
        "denoise high",
        "denoise low",
        "decode",
    ]


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_a_stopped_prompt_is_shown_with_what_to_do(quick_project: Project, field: str):
    texts = {"prompt": "a red ball rising", field: "x" * 600, "name": "long"}
    negative = texts.pop("negative_prompt", None)
    quick_project.campaign(prompts=[texts], negative_prompt=negative)
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    seen = shown(studio, "long")
    assert (seen.reason, seen.hint[:18]) == (
        "The text is longer than 512 characters.",
        "Shorten the prompt",
    )
    assert (seen.poster_href, seen.manifest_href, seen.take_id) == ("", "", "")


def test_there_is_no_hint_when_the_rules_have_changed_since(quick_project: Project):
    quick_project.campaign(prompts=[{"prompt": "x" * 600, "name": "long"}])
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    assert shown(studio, "long", NO_RULES).hint == ""
