import json

import pytest
import typer

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.cli.summary import Ending, report
from wan_pipelines.errors import RenderError
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.studio import Studio

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"
FAULTS = {"a red ball rising": RenderError("The frames are [not] finite.", stage="decode")}


def ending(studio: Studio, **changes: object) -> Ending:
    fields = {"edition": edition_key(studio, "balls", "one"), "run_id": "run", "seconds": 61.4}
    return Ending(**{**fields, **changes})


def test_a_good_end_says_what_was_made_and_where(
    quick_project: Project, capsys: pytest.CaptureFixture[str]
):
    studio = quick_project.studio()
    render_edition(studio)
    report(studio, ending(studio), as_json=False)
    out, err = capsys.readouterr()
    assert "balls/one: 2 videos in 61 s" in out
    assert "rendered 2, reused 0, failed 0" in out
    assert f"page: {(quick_project.state / 'store').as_uri()}/tenants/demo/campaigns/balls" in out
    assert err == ""


def test_a_later_run_says_what_it_did_itself(
    quick_project: Project, capsys: pytest.CaptureFixture[str]
):
    studio = quick_project.studio()
    render_edition(studio)
    report(studio, ending(studio, run_id=None), as_json=False)
    out = capsys.readouterr().out
    assert "rendered 0, kept 2, reused 0, failed 0" in out
    assert "$0.000000 for 0.0 GPU-seconds; $0." in out
    report(studio, ending(studio, run_id=None), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["rendered_now"], told["run_cost_usd"], told["accepted"]) == (0, 0, 2)


def test_shots_without_a_video_are_named_with_their_cause(
    quick_project: Project, capsys: pytest.CaptureFixture[str]
):
    quick_project.campaign(
        prompts=["a red ball rising", "a blue box falling", "x" * 600, "y" * 600]
    )
    studio = quick_project.studio()
    render_edition(studio, faults=FAULTS)
    with pytest.raises(typer.Exit) as exit_:
        report(studio, ending(studio), as_json=False)
    assert exit_.value.exit_code == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"  failed: {BALL}: The frames are [not] finite." in lines
    (rejected,) = (line for line in lines if line.startswith("  rejected: "))
    assert rejected.endswith("and 1 more: The text is longer than 512 characters.")


def test_what_screening_or_quota_stopped_is_no_failure(
    quick_project: Project, capsys: pytest.CaptureFixture[str]
):
    quick_project.campaign(tenant="small", seeds=[1, 2, 3])
    studio = quick_project.studio()
    render_edition(studio)
    report(studio, ending(studio), as_json=False)
    assert "refused: a-blue-box-falling--square--s3: limit of 5 shots" in capsys.readouterr().out


def test_shots_that_were_not_asked_for_do_not_count(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio, faults=FAULTS)
    report(studio, ending(studio, only=[BOX]), as_json=False)
    with pytest.raises(typer.Exit):
        report(studio, ending(studio, only=[BALL]), as_json=False)


def test_a_run_that_failed_is_told_with_its_words_and_where_there_are_more(
    quick_project: Project, capsys: pytest.CaptureFixture[str]
):
    studio = quick_project.studio()
    with pytest.raises(typer.Exit) as exit_:
        report(studio, ending(studio, problem="The disk is full."), as_json=False)
    out, err = capsys.readouterr()
    assert (exit_.value.exit_code, out) == (1, "")
    assert "Run run failed:\nThe disk is full." in err
    assert str(quick_project.state / "dagster" / "wan.log") in err


def test_json_has_figures_and_what_is_missing(
    quick_project: Project, capsys: pytest.CaptureFixture[str]
):
    studio = quick_project.studio()
    render_edition(studio, faults=FAULTS)
    with pytest.raises(typer.Exit):
        report(studio, ending(studio), as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert (said["campaign"], said["edition"], said["run_id"]) == ("balls", "one", "run")
    assert (said["shots"], said["accepted"], said["failed"], said["waiting"]) == (2, 1, 1, 0)
    assert said["cost_usd"] == said["cost_micro_usd"] / 1_000_000 > 0
    assert said["missing"] == [
        {"shot": BALL, "state": "failed", "reason": "The frames are [not] finite."}
    ]
    assert said["problem"] is None


def test_json_of_a_run_that_decided_nothing_has_no_figures(
    quick_project: Project, capsys: pytest.CaptureFixture[str]
):
    studio = quick_project.studio()
    with pytest.raises(typer.Exit):
        report(studio, ending(studio, problem="No."), as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "campaign": "balls",
        "edition": "one",
        "run_id": "run",
        "problem": "No.",
        "seconds": 61.4,
    }
