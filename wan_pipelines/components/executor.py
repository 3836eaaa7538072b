"""How the steps of a run become processes on one machine."""

from collections.abc import Iterator
from typing import Any, Literal

import dagster as dg
from dagster._core.executor import multiprocess

from wan_pipelines.components import tags
from wan_pipelines.components.turnstile import ExecutorInTurn
from wan_pipelines.components.wrapped import WrappedExecutor
from wan_pipelines.processes import process_name
from wan_pipelines.step_server import preloaded


def local_executor(
    environment: str, workers: int, device: Literal["cpu", "cuda"]
) -> dg.ExecutorDefinition:
    """One process per step, forked from a server that has imported what steps need.

    All runs of this machine share its workers, in turn.
    """
    config = {
        "retries": {"enabled": {}},
        "max_concurrent": workers,
        "start_method": {"forkserver": {"preload_modules": preloaded(device)}},
    }

    @dg.executor(name="processes", requirements=dg.multiple_process_executor_requirements())
    def processes(context: dg.InitExecutorContext) -> dg.Executor:
        create = dg.multiprocess_executor.executor_creation_fn
        assert create is not None
        inner = create(context._replace(executor_config=config))
        return SignedExecutor(ExecutorInTurn(inner, multiprocess, environment))

    return processes


class SignedExecutor(WrappedExecutor):
    """Another executor that notes in each run which process executes it."""

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        plan_context.instance.add_run_tags(plan_context.run_id, {tags.PROCESS: process_name()})
        yield from self._inner.execute(plan_context, execution_plan)
