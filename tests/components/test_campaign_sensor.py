"""What the sensor launches, tick by tick, while a producer and misfortune are at work."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from tests.components.watching import Watched, shots_of, watched
from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.components import campaign_sensor, tags
from wan_pipelines.definitions import load
from wan_pipelines.errors import RenderError
from wan_pipelines.ledger.reports import videos
from wan_pipelines.processes import host_name

RED, BLUE = "a red ball rising", "a blue box falling"
RED_SHOT, BLUE_SHOT = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"
FAULT = RenderError("It will not be drawn.", stage="denoise_low")


@pytest.fixture
def rendered(project: Project) -> Watched:
    """The campaign with one finished edition."""
    render_edition(project.studio())
    return watched(project)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Puts the sensor's clock forward."""

    def put_forward(by: timedelta) -> None:
        monkeypatch.setattr(campaign_sensor, "now", lambda: datetime.now(UTC) + by)

    return put_forward


def poster(rendered: Watched, prompt: str) -> Path:
    (key,) = (
        video.poster_uri
        for video in videos(rendered.studio.ledger, "demo")
        if video.prompt == prompt and video.poster_uri
    )
    return Path(key.removeprefix("file://"))


def test_before_the_first_edition_there_is_nothing_to_do(project: Project) -> None:
    assert watched(project).tick() == "no edition has been launched yet"


def test_a_finished_edition_is_left_alone(rendered: Watched) -> None:
    assert rendered.tick() == "edition one is as the brief wants it"


def test_a_changed_prompt_renders_its_shot_only(rendered: Watched) -> None:
    rendered.project.campaign(prompts=[RED, "a blue box falling fast"])
    request = rendered.request()
    assert request.partition_key == "one"
    assert shots_of(request) == ["a-blue-box-falling-fast--square--s1"]
    assert request.tags[tags.REASON] == "1 new"
    rendered.carry_out(request)
    assert rendered.tick() == "edition one is as the brief wants it"


def test_a_changed_brief_renders_what_it_changes(rendered: Watched) -> None:
    rendered.project.campaign(tier="standard")
    request = rendered.request()
    assert shots_of(request) == [RED_SHOT, BLUE_SHOT]
    assert request.tags[tags.REASON] == "2 changed"


def test_a_title_is_no_reason_to_render(rendered: Watched) -> None:
    rendered.project.campaign(title="Spheres", owners=["team:films"])
    assert rendered.tick() == "edition one is as the brief wants it"


def test_a_rendition_more_is_made(rendered: Watched) -> None:
    rendered.project.campaign(renditions=["h264", "h264-half"])
    request = rendered.request()
    assert request.tags[tags.REASON] == "2 lacking a rendition"
    rendered.carry_out(request)
    assert rendered.tick() == "edition one is as the brief wants it"


def test_a_changed_release_is_noticed_by_a_server_that_was_started_before(
    rendered: Watched,
) -> None:
    assert isinstance(rendered.tick(), str)
    rendered.project.release(boundary_ratio=0.9)
    assert shots_of(rendered.request()) == [RED_SHOT, BLUE_SHOT]


@pytest.mark.parametrize("what", ["lost", "damaged", "cut"])
def test_a_broken_output_is_rendered_again(rendered: Watched, what: str) -> None:
    path = poster(rendered, BLUE)
    whole = path.read_bytes()
    if what == "lost":
        path.unlink()
    elif what == "damaged":
        path.write_bytes(bytes(reversed(whole)))  # of the same size
    else:
        path.write_bytes(whole[:-1])
    request = rendered.request()
    assert (shots_of(request), request.tags[tags.REASON]) == ([BLUE_SHOT], "1 lost or damaged")
    rendered.carry_out(request)
    assert rendered.tick() == "edition one is as the brief wants it"
    assert poster(rendered, BLUE).read_bytes()


def test_a_file_that_was_only_touched_is_not(rendered: Watched) -> None:
    os.utime(poster(rendered, BLUE))
    assert rendered.tick() == "edition one is as the brief wants it"


def test_what_a_run_left_unfinished_is_finished(project: Project) -> None:
    studio = project.studio()
    render_edition(studio, only=[RED_SHOT])
    request = watched(project).request()
    assert shots_of(request) == [BLUE_SHOT]


def test_a_shot_that_is_withdrawn_is_not_rendered(rendered: Watched) -> None:
    rendered.project.campaign(prompts=[RED])
    assert rendered.tick() == "edition one is as the brief wants it"
    poster(rendered, BLUE).unlink()
    assert rendered.tick() == "edition one is as the brief wants it"


def test_a_shot_that_fails_backs_off_and_rests_until_it_changes(
    project: Project, later: Callable[[timedelta], None]
) -> None:
    policy = {"first_backoff_seconds": 600, "failures_until_rest": 2}
    project.environment(rerender=policy)
    render_edition(project.studio(), faults={BLUE: FAULT})
    campaign = watched(project)
    assert campaign.tick() == "edition one is as the brief wants it; 1 failed shots rest"
    later(timedelta(seconds=601))
    request = campaign.request()
    assert shots_of(request) == [BLUE_SHOT]
    campaign.carry_out(request, faults={BLUE: FAULT})
    later(timedelta(days=100))
    assert campaign.tick() == "edition one is as the brief wants it; 1 failed shots rest"
    project.campaign(prompts=[RED, "a blue box falling slowly"])
    assert shots_of(campaign.request()) == ["a-blue-box-falling-slowly--square--s1"]


def test_what_quota_refuses_waits_until_it_is_renewed(
    project: Project, later: Callable[[timedelta], None]
) -> None:
    project.campaign(tenant="small", seeds=[1, 2, 3])
    render_edition(project.studio())
    campaign = watched(project)
    assert campaign.tick() == "edition one is as the brief wants it; refused: 1"
    later(timedelta(days=1))
    request = campaign.request()
    assert request.tags[tags.REASON] == "1 within quota again"


def test_manual_campaigns_have_no_sensor(project: Project) -> None:
    project.campaign(rerender="manual")
    names = {sensor.name for sensor in load().get_repository_def().sensor_defs}
    assert names == {"budgets"}


def test_nothing_acts_twice(rendered: Watched) -> None:
    """A tick that is repeated, as after a crash of the daemon, asks under the same run key."""
    rendered.project.campaign(tier="standard")
    first, again = rendered.request(), rendered.request()
    assert first.run_key == again.run_key
    run = rendered.begin(first)
    assert rendered.tick() == "edition one is being rendered"
    rendered.render(first)
    rendered.succeed(run)
    assert rendered.tick() == "edition one is as the brief wants it"


def test_a_run_that_waits_for_its_turn_counts(rendered: Watched) -> None:
    rendered.project.campaign(tier="standard")
    rendered.begin(rendered.request(), status=dg.DagsterRunStatus.NOT_STARTED)
    assert rendered.tick() == "edition one is being rendered"


def test_a_prompt_may_go_forth_and_back(rendered: Watched) -> None:
    """The same change a second time is another event, and gets a run key of its own."""
    keys = set()
    for tier in ("standard", "draft", "standard", "draft"):
        rendered.project.campaign(tier=tier)
        request = rendered.request()
        keys.add(request.run_key)
        rendered.carry_out(request)
    assert len(keys) == 4


def test_a_run_that_died_at_once_is_tried_again(
    rendered: Watched, later: Callable[[timedelta], None]
) -> None:
    rendered.project.campaign(tier="standard")
    first = rendered.request()
    rendered.instance.report_run_failed(rendered.begin(first))
    assert "trying again" in rendered.tick()
    later(timedelta(seconds=61))
    again = rendered.request()
    assert shots_of(again) == shots_of(first)
    assert again.run_key != first.run_key


def test_a_run_whose_process_was_killed_does_not_block(rendered: Watched) -> None:
    rendered.project.campaign(tier="standard")
    request = rendered.request()
    run = rendered.begin(request, {tags.PROCESS: f"{host_name()}:1:1"})
    assert "trying again" in rendered.tick()
    ended = rendered.instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status == dg.DagsterRunStatus.FAILURE


def test_a_cancelled_run_is_not_taken_up_again(rendered: Watched) -> None:
    rendered.project.campaign(tier="standard")
    run = rendered.run({tags.PARTITION: "one", tags.WISH: rendered.wish()})
    rendered.instance.report_run_canceled(run)
    assert "cancelled" in rendered.tick()
    rendered.project.campaign(tier="standard", seeds=[2])
    assert len(shots_of(rendered.request())) == 2


def test_a_stopped_command_is_not_taken_up_again(rendered: Watched) -> None:
    rendered.project.campaign(tier="standard")
    run = rendered.run({tags.PARTITION: "one", tags.WISH: rendered.wish()})
    rendered.instance.add_run_tags(run.run_id, {tags.INTERRUPTED: run.run_id})
    rendered.instance.report_run_failed(run)
    assert "cancelled" in rendered.tick()


def test_a_broken_brief_fails_the_tick_and_is_named(rendered: Watched) -> None:
    rendered.project.campaign(seeds=["seven"])
    with pytest.raises(Exception, match=r"balls/defs.yaml:\d+: `attributes.seeds\[0\]` is 'seven'"):
        rendered.tick()


def test_an_edition_that_the_schedule_no_longer_has_is_left_to_the_next(project: Project) -> None:
    render_edition(project.studio(), "2026-11-01-0400")
    project.campaign(
        tier="standard",
        schedule={"cron": "0 5 * * *", "time_zone": "Europe/Berlin", "start": "2026-11-01"},
    )
    assert "none of the present schedule" in watched(project).tick()
