"""What Dagster's executors are told when they ask whether a step may begin."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.objects import StepSuccessData

from tests.support.project import Project
from wan_pipelines.components.executor import local_executor
from wan_pipelines.components.kubernetes_config import gpu_pool_of
from wan_pipelines.components.replay import LAUNCH, Replay
from wan_pipelines.components.turnstile import (
    ExecutorInTurn,
    TurnContext,
    repeated_runs,
    shard_of,
)
from wan_pipelines.components.wrapped import WrappedExecutor
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.studio.shard_records import ShardReference
from wan_pipelines.studio.turns import line_up
from wan_pipelines.studio.turnstile import Turnstile

SUCCESS = dg.DagsterEventType.STEP_SUCCESS
EDITION = EditionKey("demo", "mira", "balls", "one")
FIRST, SECOND, THIRD = (f"balls__takes.balls__takes__render[shard_{n}]" for n in (1, 2, 3))


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


@pytest.mark.parametrize(
    ("step", "shard"),
    [
        (FIRST, "shard_1"),
        ("balls__takes.balls__takes__cut", None),
        ("prompt__video.prompt__video__estimate", None),
        ("prompt__video.prompt__video__render", "prompt"),
        ("render[shard_1]", None),
    ],
)
def test_renders_take_turns_and_nothing_else(step: str, shard: str | None):
    assert shard_of(step) == shard


def test_a_run_knows_the_runs_that_it_repeats(instance: dg.DagsterInstance):
    first = dg.DagsterRun("empty")
    second = dg.DagsterRun("empty", parent_run_id=first.run_id, root_run_id=first.run_id)
    third = dg.DagsterRun("empty", parent_run_id=second.run_id, root_run_id=first.run_id)
    for run in (first, second):
        instance.add_run(run)
    assert repeated_runs(instance, third) == [third.run_id, second.run_id, first.run_id]


def test_shards_wait_for_their_turn_and_say_so_and_pools_still_hold(
    quick_project: Project, instance: dg.DagsterInstance
):
    studio = quick_project.studio()
    run = dg.DagsterRun("campaign_balls")
    shards = [ShardReference(f"shard_{n}", EDITION, ("a",), gpu_seconds=60) for n in (1, 2, 3)]
    line_up(studio, studio.brief("balls"), EDITION, run.run_id, shards)
    said: list[str] = []
    chosen: dict[str, str] = {}
    context_of = partial(TurnContext, say=said.append, pool_of=gpu_pool_of, gpu_classes=chosen)
    instance.event_log_storage.set_concurrency_slots(gpu_pool_of("laptop-cpu"), 1)
    with (
        Turnstile.opened(lambda: studio, [run.run_id]) as turnstile,
        context_of(turnstile, replay=Replay(), instance=instance, dagster_run=run) as context,
    ):
        assert context.claim("any", FIRST)
        assert not context.claim("any", SECOND)  # it has its turn, and no slot of the pool yet
        assert not context.claim("any", THIRD)
        assert context.has_pending_claims()
        assert set(context.pending_claim_steps()) == {SECOND, THIRD}
        assert chosen == {FIRST: "laptop-cpu", SECOND: "laptop-cpu"}
        assert said == [f"{THIRD} waits for its turn: 1 are in line."]
        assert context.claim("any", "prompt__video")
        context.free_step(FIRST)
        assert set(turnstile.began) == {"shard_2"}


def test_a_run_that_is_resumed_goes_on_with_what_it_launched_though_others_have_the_slots(
    quick_project: Project, instance: dg.DagsterInstance
):
    """Dagster fails a run whose steps that have ended, or run, are denied when it replays them."""
    studio = quick_project.studio()
    run, other = dg.DagsterRun("campaign_balls"), dg.DagsterRun("campaign_balls")
    shards = [ShardReference(f"shard_{n}", EDITION, ("a",), gpu_seconds=60) for n in (1, 2, 3)]
    for each in (run, other):
        line_up(studio, studio.brief("balls"), EDITION, each.run_id, shards)
    with Turnstile.opened(lambda: studio, [run.run_id]) as before:
        assert before.may_begin("shard_1")
        assert before.may_begin("shard_2")
        before.end("shard_1")
    with (
        Turnstile.opened(lambda: studio, [other.run_id]) as theirs,
        Turnstile.opened(lambda: studio, [run.run_id]) as resumed,
    ):
        assert theirs.may_begin("shard_1")
        started, ended = EngineEventData(), StepSuccessData(1.0)
        for kind, step, data in (
            (LAUNCH, FIRST, started),
            (LAUNCH, SECOND, started),
            (SUCCESS, FIRST, ended),
        ):
            event = dg.DagsterEvent(
                kind.value, run.job_name, step_key=step, event_specific_data=data
            )
            instance.report_dagster_event(event, run.run_id)
        replay, chosen = Replay.of(instance, run.run_id), {}
        make = partial(TurnContext, resumed, print, gpu_pool_of, chosen, replay)
        with make(instance, run) as context:
            assert context.claim("any", FIRST)
            context.free_step(FIRST)
            assert context.claim("any", SECOND)
            assert not context.claim("any", THIRD)
            assert chosen == {SECOND: "laptop-cpu"}
            assert not theirs.may_begin("shard_2")
            context.free_step(SECOND)
            assert set(theirs.began) == {"shard_1"}


def test_dagsters_own_context_is_back_when_a_run_has_ended(
    quick_project: Project, instance: dg.DagsterInstance
):
    """And the local executor is one whose shards take turns."""
    module = ModuleType("executors")
    module.InstanceConcurrencyContext = InstanceConcurrencyContext  # pyright: ignore
    made: list[object] = []

    class Inner(WrappedExecutor):
        def execute(self, plan_context, execution_plan):
            made.append(module.InstanceConcurrencyContext(instance, plan_context.dagster_run))
            yield from ()

    class Plan:
        dagster_run = dg.DagsterRun("campaign_balls")
        resume_from_failure = False

    Plan.instance = instance  # pyright: ignore
    executor = ExecutorInTurn(Inner(None), module, "local")  # pyright: ignore
    assert list(executor.execute(Plan, None)) == []
    assert isinstance(made[0], TurnContext)
    assert module.InstanceConcurrencyContext is InstanceConcurrencyContext
    assert local_executor("local", 2, "cpu").name == "processes"
