"""The campaigns that come with the project."""

import pytest

from wan_pipelines.campaigns.brief import Brief, read_briefs
from wan_pipelines.campaigns.expand import expand
from wan_pipelines.campaigns.screening import PASS, load_rules, screen_shots
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.tiny_world import parse_prompt
from wan_pipelines.engines.releases import read_releases
from wan_pipelines.places import project_root

ASSETS = project_root() / "assets"


@pytest.fixture(scope="module")
def sample() -> dict[str, tuple[Brief, tuple[Shot, ...]]]:
    releases = read_releases(ASSETS)
    return {
        name: (brief, expand(brief, releases[brief.release], ASSETS / "campaigns" / name))
        for name, brief in read_briefs(ASSETS).items()
    }


def test_demo_is_a_dozen_shots_in_two_shapes(
    sample: dict[str, tuple[Brief, tuple[Shot, ...]]],
) -> None:
    brief, shots = sample["demo"]
    assert len({shot.render_key for shot in shots}) == 12
    assert len({(shot.request.width, shot.request.height) for shot in shots}) == 2
    assert {shot.variables.get("colour") for shot in shots} == {None, "blue", "purple"}
    assert shots[0].name == "a-red-ball-moving-left-to-right-on-a-black-background--landscape--s1"
    assert brief.rerender == "on_change"


def test_catalogue_is_a_nightly_file_of_articles(
    sample: dict[str, tuple[Brief, tuple[Shot, ...]]],
) -> None:
    brief, shots = sample["catalogue"]
    assert 60 <= len({shot.render_key for shot in shots}) <= 100
    assert brief.schedule is not None
    assert (brief.schedule.time_zone, brief.rerender) == ("Europe/Berlin", "manual")


def test_every_prompt_passes_screening_and_can_be_drawn(
    sample: dict[str, tuple[Brief, tuple[Shot, ...]]],
) -> None:
    for _, shots in sample.values():
        assert set(screen_shots(shots, load_rules())) == {PASS}
        for shot in shots:
            asked = parse_prompt(shot.request.prompt)
            assert None not in (asked.shape, asked.colour, asked.background, asked.motion)
