from dataclasses import replace
from datetime import timedelta

import pytest

from tests.ledger import books
from tests.ledger.scenes import DEMO, ERROR, Scene, files, shot, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import (
    Dimension,
    cost_totals,
    edition_shots_view,
    edition_totals,
    output_files,
    run_costs,
    take_charges,
    videos,
)
from wan_pipelines.ledger.takes import add_renditions, fail_take, forget_outputs
from wan_pipelines.ledger.whose import House
from wan_pipelines.ledger.workers import WorkerPlace

SECOND = replace(DEMO, edition="second")
SPRING = EditionKey("bolt", "bob", "spring", "first")


TOTALS: dict[Dimension, dict[str | None, int]] = {
    "tenant": {"acme": 6000, "bolt": 500},
    "campaign": {"demo": 6000, "spring": 500},
    "edition": {"demo/first": 6000, "spring/first": 500},
    "user": {"ada": 6000, "bob": 500},
    "release": {"wan-tiny": 6000, None: 500},
    "tier": {"draft": 6000, None: 500},
    "engine": {"reference": 6000, None: 500},
    "gpu_class": {"laptop-cpu": 6500},
    "kind": {"load": 3500, "denoise": 3000},
}


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    """Red is accepted after 1 s, blue failed after 2 s, and the engine took 3 s to load."""
    scene = Scene(ledger)
    red, blue = wanted = shots("red", "blue")
    scene.admit(wanted)
    hand = scene.worker()
    hand.spend("load", 3000)
    hand.render(red, 1000)
    failed = hand.lease(blue)
    hand.spend("denoise", 2000, failed)
    fail_take(ledger, failed, ERROR, now=scene.now)
    assert hand.close() == 6000
    return scene


def test_a_video_says_what_it_is_where_it_lies_and_what_it_cost(scene: Scene):
    (video,) = videos(scene.ledger, "acme")
    assert (video.campaign, video.edition, video.shot, video.user) == (
        "demo",
        "first",
        "red",
        "ada",
    )
    assert (video.prompt, video.seed) == ("a red ball moves to the left", 7)
    assert (video.release, video.tier, video.run_id) == ("wan-tiny", "draft", "run-1")
    assert (video.width, video.height, video.frames, video.fps) == (96, 64, 9, 8.0)
    assert video.duration_seconds == 1.125
    assert video.uri == f"file:///store/tenants/acme/videos/{video.take_id}/h264"
    assert video.poster_uri == f"file:///store/tenants/acme/videos/{video.take_id}/poster"
    assert video.preview_uri == f"file:///store/tenants/acme/videos/{video.take_id}/preview"
    assert (video.cost_micro_usd, video.gpu_microseconds) == (2000, 2_000_000)
    assert (video.state, video.reused) == ("admitted", False)


def test_a_reused_video_costs_the_edition_that_reuses_it_nothing(scene: Scene):
    scene.later(hours=1)
    scene.admit([shot("crimson", "a red ball moves to the left"), *shots("red")], SECOND)
    first, *again = videos(scene.ledger, "acme")
    assert [(v.shot, v.state, v.reused) for v in again] == [
        ("crimson", "reused", True),
        ("red", "duplicate", True),
    ]
    assert {v.take_id for v in again} == {first.take_id}
    assert {v.cost_micro_usd for v in again} == {v.gpu_microseconds for v in again} == {0}
    totals = edition_totals(scene.ledger, SECOND)
    assert (totals.shots, totals.accepted, totals.reused) == (2, 2, 2)
    assert totals.cost_micro_usd == 0
    assert len(output_files(scene.ledger, "acme")) == 3


def test_videos_are_found_by_campaign_and_edition(scene: Scene):
    assert len(videos(scene.ledger, House("operator"))) == 1
    assert len(videos(scene.ledger, "acme", "demo", "first")) == 1
    assert videos(scene.ledger, "acme", "demo", "second") == ()
    assert videos(scene.ledger, "acme", "other") == ()
    assert videos(scene.ledger, "bolt") == ()


def test_an_edition_shows_every_shot_and_what_became_of_it(scene: Scene):
    scene.admit([*shots("blue", "late"), shot("odd", verdict="held", reason="brackets")])
    scene.worker().lease(shot("late"))
    by_name = {view.shot: view for view in edition_shots_view(scene.ledger, DEMO)}
    assert {name: (v.state, v.outcome, v.attempts) for name, v in by_name.items()} == {
        "red": ("withdrawn", "accepted", 1),
        "blue": ("admitted", "failed", 1),
        "late": ("admitted", "running", 1),
        "odd": ("held", None, 0),
    }
    blue = by_name["blue"]
    assert (blue.error_type, blue.error_stage) == ("RenderError", "decode")
    assert blue.error_message == "frames are not finite"
    assert (blue.failures, blue.cost_micro_usd, blue.renditions) == (1, 4000, ())
    totals = edition_totals(scene.ledger, DEMO)
    assert totals.states == {"withdrawn": 1, "admitted": 2, "held": 1}
    assert (totals.shots, totals.accepted, totals.failed, totals.waiting) == (3, 0, 1, 1)


def test_takes_are_charged_to_the_edition_that_made_them(scene: Scene):
    (video,) = videos(scene.ledger, "acme")
    charges = take_charges(scene.ledger, DEMO)
    assert charges[video.take_id] == 2000
    assert sorted(charges.values()) == [2000, 4000], "one of a take that failed"
    scene.admit(shots("red"), SECOND)
    assert take_charges(scene.ledger, SECOND) == {}


def test_the_shots_costs_and_the_overhead_are_the_editions_cost(scene: Scene):
    scene.worker().close()
    idle = scene.worker()
    idle.spend("load", 700)
    idle.close()
    totals = edition_totals(scene.ledger, DEMO)
    views = edition_shots_view(scene.ledger, DEMO)
    assert totals.cost_micro_usd == 6700
    assert sum(v.cost_micro_usd for v in views) + totals.unattributed_micro_usd == 6700
    assert totals.superseded_micro_usd == 0
    assert totals.wasted_micro_usd == 4700
    assert totals.micro_usd_by_kind == {"load": 3700, "denoise": 3000}


def test_shots_that_were_renamed_or_changed_are_paid_for_once(scene: Scene):
    crimson = shot("crimson", "a red ball moves to the left")
    scene.admit([crimson, shot("blue", "a navy ball")])
    by_name = {view.shot: view for view in edition_shots_view(scene.ledger, DEMO)}
    assert {name: (v.state, v.cost_micro_usd, v.attempts) for name, v in by_name.items()} == {
        "crimson": ("admitted", 2000, 1),
        "red": ("withdrawn", 0, 0),
        "blue": ("admitted", 0, 0),
    }
    totals = edition_totals(scene.ledger, DEMO)
    assert (totals.cost_micro_usd, totals.superseded_micro_usd) == (6000, 4000)
    assert [v.cost_micro_usd for v in videos(scene.ledger, "acme")] == [2000]


def test_a_run_is_charged_what_it_was_paid(scene: Scene):
    (run,) = run_costs(scene.ledger, "acme")
    assert run.paid_micro_usd == run.charged_micro_usd == 6000
    assert (run.workers, run.open_workers, run.takes, run.accepted_takes) == (1, 0, 2, 1)
    assert (run.wasted_micro_usd, run.unattributed_micro_usd) == (4000, 0)
    assert run.micro_usd_by_kind == {"denoise": 3000, "load": 3000}
    scene.worker(place=WorkerPlace("run-2", "takes[1]", "laptop-cpu"))
    runs = run_costs(scene.ledger, "acme")
    assert [(r.run_id, r.open_workers, r.paid_micro_usd) for r in runs] == [
        ("run-1", 0, 6000),
        ("run-2", 1, 0),
    ]
    assert run_costs(scene.ledger, "acme", run_id="run-2") == runs[1:]
    assert run_costs(scene.ledger, House("operator"), edition=DEMO) == runs
    assert run_costs(scene.ledger, "bolt") == ()


def test_every_charge_is_in_one_row_of_each_dimension(scene: Scene):
    scene.admit(shots("a"), SPRING)
    other = scene.worker(SPRING, WorkerPlace("run-3", "takes[0]", "laptop-cpu"))
    other.spend("load", 500)
    other.close()
    for by, totals in TOTALS.items():
        rows = cost_totals(scene.ledger, by, House("invoice"))
        assert {row.value: row.micro_usd for row in rows} == totals
        assert sum(row.wasted_micro_usd for row in rows) == 4500
        assert cost_totals(scene.ledger, by, "acme", campaign="demo", since=scene.now) == ()
        since = cost_totals(scene.ledger, by, "acme", since=scene.now - timedelta(hours=1))
        assert sum(row.micro_usd for row in since) == 6000


def test_a_rendition_that_was_derived_later_belongs_to_the_take(scene: Scene):
    (video,) = videos(scene.ledger, "acme")
    small = replace(files(video.take_id)[0], name="h264-half", width=48)
    for _ in range(2):
        add_renditions(scene.ledger, "acme", video.take_id, [small], now=scene.now)
    names = [file.name for file in output_files(scene.ledger, "acme")]
    assert names == ["h264", "poster", "preview", "h264-half"]
    assert videos(scene.ledger, "acme") == (video,)
    with pytest.raises(LedgerError, match="is not accepted"):
        add_renditions(scene.ledger, "bolt", video.take_id, [small], now=scene.now)


def test_a_forgotten_video_is_no_video_and_its_cost_is_waste(scene: Scene):
    forget_outputs(scene.ledger, "acme", shot("red").render_key, "deleted", now=scene.now)
    assert videos(scene.ledger, "acme") == ()
    assert output_files(scene.ledger, "acme") == ()
    totals = edition_totals(scene.ledger, DEMO)
    assert (totals.accepted, totals.waiting, totals.failed) == (0, 1, 1)
    assert totals.wasted_micro_usd == totals.cost_micro_usd == 6000
    books.check(scene.ledger)


def test_an_edition_that_was_never_admitted_is_named(scene: Scene):
    with pytest.raises(LedgerError, match="no edition demo/second of tenant acme"):
        edition_totals(scene.ledger, SECOND)
