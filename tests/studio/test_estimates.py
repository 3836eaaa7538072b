"""What a plan says of seconds and memory, before and after there are takes to learn from."""

import sqlite3

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.engines.estimating.starting import CPU_START_SECONDS
from wan_pipelines.studio.estimates import Estimator, ShotEstimate
from wan_pipelines.studio.planning import preview
from wan_pipelines.studio.plans import Starts
from wan_pipelines.studio.studio import Studio

SHOTS = 4


def first(studio: Studio, campaign: str = "balls") -> ShotEstimate:
    return Estimator(studio).of(studio.shots(campaign)[0])


def rendered(project: Project, seconds: float, *, peak_bytes: int = 0, checkpoint: int = 0) -> None:
    """An edition whose takes took so many seconds, as the ledger has it."""
    project.campaign(seeds=list(range(SHOTS // 2)))
    render_edition(project.studio())
    with sqlite3.connect(project.state / "ledger.sqlite") as database:
        database.execute(
            "UPDATE takes SET text_microseconds = 0, denoise_high_microseconds = ?,"
            " denoise_low_microseconds = 0, decode_microseconds = 0, peak_memory_bytes = ?,"
            " steps = steps - ?",
            (round(seconds * 1e6), peak_bytes, checkpoint),
        )


def test_without_takes_it_is_counted(quick_project: Project):
    found = first(quick_project.studio())
    assert (found.takes, found.alike, found.basis) == (0, False, "published figures")
    assert found.low_seconds < found.seconds < found.high_seconds
    assert 1e8 < found.peak_bytes < 2e9


def test_a_long_video_is_counted_by_its_segments(quick_project: Project):
    quick_project.release(segments={"frames": 17, "overlap": 9, "max": 97})
    quick_project.campaign("short", frames=17)
    quick_project.campaign("long", frames=33)
    studio = quick_project.studio()
    short, long = first(studio, "short"), first(studio, "long")
    assert (short.segments, long.segments) == (1, 3)
    assert 2.5 < long.seconds / short.seconds <= 3
    assert long.peak_bytes == short.peak_bytes, "they are drawn in turn"


def test_takes_like_it_correct_it(quick_project: Project):
    before = first(quick_project.studio())
    rendered(quick_project, seconds=5.0, peak_bytes=123)
    found = first(quick_project.studio())
    assert found.seconds == pytest.approx(5.0)
    assert (found.takes, found.basis) == (SHOTS, "4 takes like it here")
    assert found.peak_bytes == 123
    spread = (found.high_seconds - found.low_seconds) / found.seconds
    assert spread < (before.high_seconds - before.low_seconds) / before.seconds


def test_takes_of_another_shape_correct_it_as_well(quick_project: Project):
    quick_project.campaign("wide", shapes=["landscape"])
    before = first(quick_project.studio(), "wide")
    rendered(quick_project, seconds=5.0, peak_bytes=123)
    found = first(quick_project.studio(), "wide")
    assert found.basis == "4 takes of other shapes or tiers here"
    assert found.seconds > 5.0, "it is larger"
    assert found.peak_bytes == before.peak_bytes


@pytest.mark.parametrize("checkpoint", [1])
def test_takes_that_went_on_from_a_checkpoint_say_nothing(quick_project: Project, checkpoint: int):
    rendered(quick_project, seconds=5.0, checkpoint=checkpoint)
    assert first(quick_project.studio()).takes == 0


def test_takes_of_another_gpu_class_say_nothing(quick_project: Project):
    rendered(quick_project, seconds=5.0)
    classes = {"other-cpu": {"device": "cpu", "price_usd_per_hour": "0.10"}}
    quick_project.environment(gpu_class="other-cpu", gpu_classes=classes)
    assert first(quick_project.studio()).takes == 0


def test_a_plan_adds_up_and_says_what_it_rests_on(quick_project: Project):
    plan = preview(quick_project.studio(), "balls", "one")
    low, high = plan.gpu_seconds_between
    assert low < plan.gpu_seconds < high
    assert plan.starts.workers > 0
    assert plan.starts.gpu_seconds > plan.starts.workers * CPU_START_SECONDS
    cheapest, dearest = plan.cost_between_micro_usd
    assert plan.starts.cost_micro_usd <= cheapest < dearest
    assert plan.basis == "published figures"
    assert plan.peak_bytes == max(estimate.peak_bytes for estimate in plan.estimates)
    render_edition(quick_project.studio())
    after = preview(quick_project.studio(), "balls", "one")
    assert (after.gpu_seconds, after.peak_bytes, after.basis) == (0, 0, "")
    assert (after.starts, after.cost_micro_usd) == (Starts(), 0)


def test_starting_is_learnt_from_workers(quick_project: Project):
    rendered(quick_project, seconds=5.0)
    with sqlite3.connect(quick_project.state / "ledger.sqlite") as database:
        others = "kind IN ('load', 'wait', 'idle')"
        spent = f"SELECT sum(gpu_microseconds) FROM charges WHERE {others}"
        (microseconds,) = database.execute(spent).fetchone()
        (workers,) = database.execute("SELECT count(*) FROM workers").fetchone()
    quick_project.campaign("more", prompts=["a blue ball rising"], seeds=[1])
    plan = preview(quick_project.studio(), "more", "one")
    assert plan.starts.workers == 1
    assert plan.starts.gpu_seconds == pytest.approx(microseconds / workers / 1e6)
