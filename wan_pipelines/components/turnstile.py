"""Shards take their turns in front of Dagster's pools.

Dagster's executors ask a concurrency context whether a step may begin. Ours asks the turnstile
first, and the pool of the GPU class on which the shard has its turn afterwards: pools stay as the
limit that holds whatever happens. A step that is no shard goes to its pool at once.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType
from typing import Any

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext

from wan_pipelines.components.prompt import RENDER_STEP
from wan_pipelines.components.replay import Replay
from wan_pipelines.components.resource import StudioDoor
from wan_pipelines.components.runs import CANCELLED
from wan_pipelines.components.wrapped import WrappedExecutor
from wan_pipelines.places import project_root, state_folder
from wan_pipelines.studio.prompts import SHARD
from wan_pipelines.studio.turnstile import Turnstile

MOST_REPEATS = 20


@dataclass
class Turns:
    """What an executor and those who launch its steps share: GPU classes of steps by their keys."""

    gpu_classes: dict[str, str] = field(default_factory=dict)
    turnstile: Turnstile | None = None

    def must_move(self, step_key: str) -> bool:
        """Is the step to begin elsewhere, as the node that it waits for may come too late?"""
        shard = shard_of(step_key)
        return bool(self.turnstile and shard and self.turnstile.must_move(shard))


class TurnContext(InstanceConcurrencyContext):
    """May a step begin? `pool_of` names the pool of a GPU class, `replay` what began already."""

    def __init__(
        self,
        turnstile: Turnstile,
        say: Callable[[str], None],
        pool_of: Callable[[str], str] | None,
        gpu_classes: dict[str, str],
        replay: Replay,
        instance: dg.DagsterInstance,
        dagster_run: dg.DagsterRun,
    ) -> None:
        super().__init__(instance, dagster_run)
        self._turnstile = turnstile
        self._say = say
        self._pool_of = pool_of
        self._gpu_classes = gpu_classes
        self._replay = replay
        self._in_line: set[str] = set()

    def claim(self, concurrency_key: str, step_key: str, step_priority: int = 0) -> bool:
        shard = shard_of(step_key)
        before = self._replay.next(step_key)
        if before:
            self._claim_again(step_key, shard if before == "runs" else None)
            return True
        if shard is None:
            return super().claim(concurrency_key, step_key, step_priority)
        if not self._turnstile.may_begin(shard):
            self._wait(step_key)
            return False
        self._in_line.discard(step_key)
        gpu_class = self._chosen(step_key, shard)
        if gpu_class and self._pool_of:
            concurrency_key = self._pool_of(gpu_class)
        return super().claim(concurrency_key, step_key, step_priority)

    def pending_claim_steps(self) -> list[str]:
        return [*super().pending_claim_steps(), *sorted(self._in_line)]

    def has_pending_claims(self) -> bool:
        return bool(self._in_line) or super().has_pending_claims()

    def free_step(self, step_key: str) -> None:
        shard = shard_of(step_key)
        if shard is not None:
            self._turnstile.end(shard)
        super().free_step(step_key)

    def _claim_again(self, step_key: str, shard: str | None) -> None:
        """Granted, whoever waits: Dagster fails a run whose replayed steps have no claim. What the
        step holds of its pool, it still does.
        """
        self._claims.add(step_key)
        if shard and self._turnstile.may_begin(shard):
            self._chosen(step_key, shard)

    def _chosen(self, step_key: str, shard: str) -> str | None:
        """The GPU class on which a shard has its turn, told to those who launch its step."""
        gpu_class = self._turnstile.began.get(shard)
        if gpu_class is not None:
            self._gpu_classes[step_key] = gpu_class
        return gpu_class

    def _wait(self, step_key: str) -> None:
        if step_key not in self._in_line:
            self._in_line.add(step_key)
            self._say(f"{step_key} waits for its turn: {self._turnstile.in_line} are in line.")


class ExecutorInTurn(WrappedExecutor):
    """Another executor whose shards take turns; `module` is where it finds its contexts."""

    def __init__(
        self,
        inner: dg.Executor,
        module: ModuleType,
        environment: str,
        *,
        pool_of: Callable[[str], str] | None = None,
        turns: Turns | None = None,
    ) -> None:
        super().__init__(inner)
        self._module = module
        self._door = StudioDoor(project_root(), state_folder(), environment)
        self._pool_of = pool_of
        self._turns = turns or Turns()

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        instance, run = plan_context.instance, plan_context.dagster_run

        def say(words: str) -> None:
            dg.DagsterEvent.engine_event(plan_context, words, EngineEventData())

        with Turnstile.opened(self._door.open, repeated_runs(instance, run)) as turnstile:
            self._turns.turnstile = turnstile
            is_resumed = plan_context.resume_from_failure
            replay = Replay.of(instance, run.run_id) if is_resumed else Replay()
            classes = self._turns.gpu_classes
            context = partial(TurnContext, turnstile, say, self._pool_of, classes, replay)
            try:
                with _contexts_of(self._module, context):
                    yield from self._inner.execute(plan_context, execution_plan)
            finally:
                now = instance.get_run_by_id(run.run_id)
                if now and now.status in CANCELLED:
                    turnstile.leave()


def shard_of(step_key: str) -> str | None:
    """The shard that a step renders: `takes.render[shard_3]` renders shard_3, a prompt its own."""
    if step_key == RENDER_STEP:
        return SHARD
    found = re.fullmatch(r".*__render\[(\w+)\]", step_key)
    return found and found.group(1)


def repeated_runs(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """The run, the one that it executes again, the one that that did, and so on."""
    runs = [run.run_id]
    while run.parent_run_id and len(runs) < MOST_REPEATS:
        parent = instance.get_run_by_id(run.parent_run_id)
        if parent is None:
            break
        runs.append(parent.run_id)
        run = parent
    return runs


@contextmanager
def _contexts_of(
    module: ModuleType, make: Callable[..., InstanceConcurrencyContext]
) -> Iterator[None]:
    """Dagster's executors look the class up when a run begins, and offer no other way in."""
    name = InstanceConcurrencyContext.__name__
    setattr(module, name, make)
    try:
        yield
    finally:
        setattr(module, name, InstanceConcurrencyContext)
