"""What a deployment learns when memory gives out, and how it comes back up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import pytest

from tests.ledger import books
from tests.support.greedy import one_process, studio_with_ladder, untiled
from tests.support.project import Project
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.ledger.reports import edition_shots_view, videos
from wan_pipelines.studio import ladders
from wan_pipelines.studio.editions import shots_named
from wan_pipelines.studio.ladders import LedgerLadders
from wan_pipelines.studio.planning import admit, preview
from wan_pipelines.studio.shard_records import ShardReference
from wan_pipelines.studio.shards import cut
from wan_pipelines.studio.studio import Studio

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"


class SetClock(datetime):
    """The wall clock after somebody set it."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) + cls.ahead


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets minutes pass for whoever asks when to try a higher rung."""
    monkeypatch.setattr(ladders, "datetime", SetClock)
    monkeypatch.setattr(SetClock, "ahead", timedelta())

    def minutes(passed: float) -> None:
        SetClock.ahead += timedelta(minutes=passed)

    return minutes


def shots_of(studio: Studio) -> tuple[Shot, Shot]:
    edition = admit(studio, "balls", "one").edition
    ball, box = shots_named(studio, edition, [BALL, BOX])
    return ball, box


def names(*footings: Footing) -> list[str]:
    return [footing.name for footing in footings]


def test_shots_of_a_bucket_begin_where_the_last_one_held(
    quick_project: Project, wait: Callable[[float], None]
) -> None:
    studio = studio_with_ladder(quick_project)
    ball, box = shots_of(studio)
    demo = LedgerLadders(studio, "demo")
    assert names(demo.footing(ball)) == [""]
    verdict = demo.gave_out(ball, demo.footing(ball), "memory")
    assert (verdict.goes_on, verdict.reason) == (
        True,
        "Memory gave out, so it is tried on rung tiles.",
    )
    elsewhere = LedgerLadders(quick_project.studio(), "demo")
    assert names(elsewhere.footing(ball), elsewhere.footing(box)) == ["tiles", "tiles"]
    larger = replace(ball, request=replace(ball.request, frames=9))
    assert names(elsewhere.footing(larger)) == [""], "another bucket"
    assert demo.gave_out(ball, demo.footing(ball), "memory").goes_on
    last = demo.gave_out(ball, demo.footing(ball), "memory")
    assert not last.goes_on
    assert last.reason.startswith("Release sample declares no rung below light for it.")


def test_one_shot_tries_a_higher_rung_after_a_pause(
    quick_project: Project, wait: Callable[[float], None]
) -> None:
    studio = studio_with_ladder(quick_project)
    ball, box = shots_of(studio)
    demo = LedgerLadders(studio, "demo")
    for _ in range(2):
        demo.gave_out(ball, demo.footing(ball), "memory")
    wait(59)
    assert names(demo.footing(ball)) == ["light"]
    wait(2)
    assert names(demo.footing(ball), demo.footing(box)) == ["tiles", "light"], "one tries"
    demo.held(ball, demo.footing(box))
    assert names(demo.footing(box)) == ["light"], "that says nothing"
    wait(61)
    demo.held(ball, probe := demo.footing(ball))
    assert names(probe, demo.footing(ball), demo.footing(box)) == ["tiles"] * 3
    wait(61)
    demo.held(ball, demo.footing(ball))
    assert names(demo.footing(ball)) == [""]


def test_a_try_that_fails_doubles_the_pause(
    quick_project: Project, wait: Callable[[float], None]
) -> None:
    studio = studio_with_ladder(quick_project)
    ball, _ = shots_of(studio)
    demo = LedgerLadders(studio, "demo")
    demo.gave_out(ball, demo.footing(ball), "memory")
    wait(61)
    assert demo.gave_out(ball, demo.footing(ball), "memory").goes_on
    assert names(demo.footing(ball)) == ["tiles"], "not further down: that one held"
    wait(61)
    assert names(demo.footing(ball)) == ["tiles"]
    wait(61)
    assert names(demo.footing(ball)) == [""]


def test_an_exact_tenants_shot_fails_with_the_reason(quick_project: Project) -> None:
    studio = studio_with_ladder(quick_project, "exact_only")
    ball, _ = shots_of(studio)
    demo = LedgerLadders(studio, "demo")
    verdict = demo.gave_out(ball, demo.footing(ball), "memory")
    assert not verdict.goes_on
    assert "Tenant demo takes exact renders only" in verdict.reason
    assert names(demo.footing(ball)) == [""]


def test_a_time_out_is_followed_by_less_work(quick_project: Project) -> None:
    studio = studio_with_ladder(quick_project)
    ball, _ = shots_of(studio)
    demo = LedgerLadders(studio, "demo")
    demo.gave_out(ball, demo.footing(ball), "time")
    assert names(demo.footing(ball)) == ["light"]
    reason = demo.gave_out(ball, demo.footing(ball), "time").reason
    assert "no rung below light that is less work" in reason


def test_a_degraded_video_is_made_charged_and_told_from_others(quick_project: Project) -> None:
    studio = studio_with_ladder(quick_project)
    edition = admit(studio, "balls", "one").edition
    shard = ShardReference("shard_1", edition, (BALL, BOX))
    first = one_process(studio, shard, untiled)
    assert (first.ending, first.summary.failed, first.summary.left) == (
        "exhausted",
        (),
        (BALL, BOX),
    )
    second = one_process(studio, shard, untiled)
    assert (second.ending, second.summary.accepted) == ("done", 2)
    ball, box = edition_shots_view(studio.ledger, edition)
    assert (ball.attempts, box.attempts) == (2, 1), "the second began on the rung that held"
    books.check(studio.ledger)
    found = videos(studio.ledger, "demo")
    assert {video.rungs for video in found} == {("tiles",)}
    assert {video.degraded for video in found} == {True}


def test_an_exact_tenant_gets_an_error_and_the_next_shot_its_turn(quick_project: Project) -> None:
    studio = studio_with_ladder(quick_project, "exact_only")
    edition = admit(studio, "balls", "one").edition
    shard = ShardReference("shard_1", edition, (BALL, BOX))
    ended = one_process(
        studio, shard, lambda request: "ball" in request.prompt and untiled(request)
    )
    assert (ended.ending, ended.summary.failed, ended.summary.left) == (
        "exhausted",
        (BALL,),
        (BOX,),
    )
    rest = replace(shard, shots=ended.summary.left)
    assert one_process(studio, rest, lambda request: False).summary.accepted == 1
    ball, box = edition_shots_view(studio.ledger, edition)
    assert "Tenant demo takes exact renders only" in (ball.error_message or "")
    assert (ball.error_stage, box.outcome, box.degraded) == ("decode", "accepted", False)
    books.check(studio.ledger)


def test_a_person_may_have_it_drawn_exactly_later(quick_project: Project) -> None:
    studio = studio_with_ladder(quick_project)
    edition = admit(studio, "balls", "one").edition
    for _ in range(2):
        one_process(studio, ShardReference("shard_1", edition, (BALL, BOX)), untiled)
    assert cut(studio, edition) == ()
    preview(studio, "balls", "one", exact=True)
    assert all(video.degraded for video in videos(studio.ledger, "demo")), "only looked at"

    admit(studio, "balls", "one", only=[BALL], exact=True)
    (shard,) = cut(studio, edition, only=[BALL], exact=True)
    assert ShardReference.from_json(shard.to_json()) == shard
    assert one_process(studio, shard, untiled).summary.failed == (BALL,), "it is not drawn in tiles"
    failed, _ = edition_shots_view(studio.ledger, edition)
    assert (failed.error_message or "").endswith("so it was not drawn with less.")

    admit(studio, "balls", "one", only=[BALL], exact=True)
    assert one_process(studio, shard, lambda request: False).summary.accepted == 1
    drawn = {video.shot: video.rungs for video in videos(studio.ledger, "demo")}
    assert drawn == {BALL: (), BOX: ("tiles",)}
    books.check(studio.ledger)
