"""What Dagster's executors are told when they ask whether a step may begin."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import dagster as dg
import pytest
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

from tests.support.project import Project
from wan_pipelines.components.executor import local_executor
from wan_pipelines.components.kubernetes_config import gpu_pool_of
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
        ("prompt__video", None),
        ("render[shard_1]", None),
    ],
)
def test_only_renders_of_shards_take_turns(step: str, shard: str | None):
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
    line_up(studio, EDITION, run.run_id, shards)
    said: list[str] = []
    chosen: dict[str, str] = {}
    instance.event_log_storage.set_concurrency_slots(gpu_pool_of("laptop-cpu"), 1)
    with (
        Turnstile.opened(lambda: studio, [run.run_id]) as turnstile,
        TurnContext(turnstile, said.append, gpu_pool_of, chosen, instance, run) as context,
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

    Plan.instance = instance  # pyright: ignore
    executor = ExecutorInTurn(Inner(None), module, "local")  # pyright: ignore
    assert list(executor.execute(Plan, None)) == []
    assert isinstance(made[0], TurnContext)
    assert module.InstanceConcurrencyContext is InstanceConcurrencyContext
    assert local_executor("local", 2, "cpu").name == "processes"
