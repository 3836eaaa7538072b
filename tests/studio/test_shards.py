import signal

import pytest

from tests.support.project import Project
from tests.support.renders import render_edition
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.errors import RenderError, WeightsError
from wan_pipelines.ledger.reports import edition_shots_view, run_costs
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.editions import edition_key, missing_shots, shots_named
from wan_pipelines.studio.planning import admit
from wan_pipelines.studio.shards import OpenEngine, ShardReference, ShardSummary, cut, render, tally
from wan_pipelines.studio.studio import Studio

BALL, BOX = "a-red-ball-rising--square--s1", "a-blue-box-falling--square--s1"
FAULT = RenderError("The frames are not finite.", stage="decode")


def engine(faults: dict[str, Exception] | None = None) -> OpenEngine:
    return lambda studio, release: NullEngine(studio.release(release), faults)


def no_engine(studio: Studio, release: str) -> Engine:
    raise AssertionError("There is nothing to render.")


def whole(studio: Studio, edition: str = "one", *shots: str) -> ShardReference:
    key = edition_key(studio, "balls", edition)
    return ShardReference("shard_1", key, shots or (BALL, BOX))


def rendered(studio: Studio, shard: ShardReference, open_engine: OpenEngine) -> ShardSummary:
    run = RunReference("run-1", shard.name)
    return render(studio, shard, run, say=lambda words: None, open_engine=open_engine)


def test_shards_hold_each_missing_shot_once(quick_project: Project):
    quick_project.campaign(seeds=[1, 2, 3])
    studio = quick_project.studio()
    plan = admit(studio, "balls", "one")
    shards = cut(studio, plan.edition)
    assert len(shards) == studio.settings.workers.count == 2
    names = [name for shard in shards for name in shard.shots]
    assert sorted(names) == sorted(planned.shot.name for planned in plan.shots)
    assert [ShardReference.from_json(shard.to_json()) for shard in shards] == list(shards)


def test_nothing_is_cut_when_nothing_is_missing(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    assert cut(studio, edition_key(studio, "balls", "one")) == ()


def test_only_the_named_shots_are_cut(quick_project: Project):
    studio = quick_project.studio()
    edition = admit(studio, "balls", "one").edition
    assert [shard.shots for shard in cut(studio, edition, only=[BOX])] == [(BOX,)]
    assert [shot.name for shot in missing_shots(studio, edition, [BOX])] == [BOX]


def test_a_shard_is_rendered_and_its_progress_told(quick_project: Project):
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    said: list[str] = []
    shard = whole(studio)
    summary = render(
        studio, shard, RunReference("run-1", "step-1"), say=said.append, open_engine=engine()
    )
    assert (summary.accepted, summary.failed, summary.left) == (2, (), ())
    assert any(BALL in words for words in said)
    shots = edition_shots_view(studio.ledger, shard.edition)
    assert {shot.run_id for shot in shots} == {"run-1"}
    assert missing_shots(studio, shard.edition) == ()
    assert summary.to_json()["shard"] == "shard_1"


def test_no_engine_is_loaded_for_what_is_rendered_already(quick_project: Project):
    studio = quick_project.studio()
    render_edition(studio)
    summary = rendered(studio, whole(studio), no_engine)
    assert (summary.accepted, summary.reused) == (0, 2)


def test_a_shot_that_fails_fails_alone_and_is_rendered_by_the_next_launch(quick_project: Project):
    studio = quick_project.studio()
    edition = admit(studio, "balls", "one").edition
    summary = rendered(studio, whole(studio), engine({"a red ball rising": FAULT}))
    assert (summary.accepted, summary.failed) == (1, (BALL,))
    tallied = tally(studio, edition, [summary.to_json()])
    assert (tallied.shards, tallied.totals.accepted, tallied.totals.failed) == (1, 1, 1)
    assert tallied.render_seconds == pytest.approx(sum(summary.seconds.values()))
    (failed,) = tallied.failed
    assert (failed.shot, failed.error_stage) == (BALL, "decode")
    assert failed.error_message == "The frames are not finite."
    admit(studio, "balls", "one")
    assert [shard.shots for shard in cut(studio, edition)] == [(BALL,)]
    assert rendered(studio, whole(studio, "one", BALL), engine()).accepted == 1
    assert tally(studio, edition, []).failed == ()


def test_what_was_withdrawn_meanwhile_is_not_rendered(quick_project: Project):
    admit(quick_project.studio(), "balls", "one")
    shard = whole(quick_project.studio())
    quick_project.campaign(prompts=["a blue box falling"])
    studio = quick_project.studio()
    admit(studio, "balls", "one")
    assert rendered(studio, shard, engine()).accepted == 1
    shots = edition_shots_view(studio.ledger, shard.edition)
    assert {shot.shot: shot.outcome for shot in shots} == {BALL: None, BOX: "accepted"}


def test_a_shard_of_shots_that_are_gone_does_nothing_and_costs_nothing(quick_project: Project):
    studio = quick_project.studio()
    edition = admit(studio, "balls", "one").edition
    summary = rendered(studio, ShardReference("shard_1", edition, ("gone",)), no_engine)
    assert (summary.accepted, summary.left) == (0, ("gone",))
    assert run_costs(studio.ledger, "demo") == ()


def test_an_engine_that_cannot_be_had_ends_the_shard_and_is_paid_for(quick_project: Project):
    def broken(studio: Studio, release: str) -> Engine:
        raise WeightsError("The weights are damaged.")

    studio = quick_project.studio()
    edition = admit(studio, "balls", "one").edition
    with pytest.raises(WeightsError, match="damaged"):
        rendered(studio, whole(studio), broken)
    (run,) = run_costs(studio.ledger, "demo", edition=edition)
    assert run.open_workers == 0
    assert run.paid_micro_usd == run.charged_micro_usd == run.wasted_micro_usd > 0
    assert len(missing_shots(studio, edition)) == 2


def test_the_handlers_of_signals_are_as_before(quick_project: Project):
    before = signal.getsignal(signal.SIGTERM)
    render_edition(quick_project.studio())
    assert signal.getsignal(signal.SIGTERM) == before


def test_shots_are_named_in_the_order_asked_for(quick_project: Project):
    studio = quick_project.studio()
    edition = admit(studio, "balls", "one").edition
    found = shots_named(studio, edition, [BOX, "gone", BALL])
    assert [shot.name for shot in found] == [BOX, BALL]
    assert found[1].request.prompt == "a red ball rising"
