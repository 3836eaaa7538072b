"""How the steps of a run become processes on one machine."""

from collections.abc import Iterator
from typing import Any, Literal

import dagster as dg

from wan_pipelines.components import tags
from wan_pipelines.processes import process_name
from wan_pipelines.step_server import preloaded


def local_executor(workers: int, device: Literal["cpu", "cuda"]) -> dg.ExecutorDefinition:
    """One process per step, forked from a server that has imported what steps need."""
    config = {
        "retries": {"enabled": {}},
        "max_concurrent": workers,
        "start_method": {"forkserver": {"preload_modules": preloaded(device)}},
    }

    @dg.executor(name="processes", requirements=dg.multiple_process_executor_requirements())
    def processes(context: dg.InitExecutorContext) -> dg.Executor:
        create = dg.multiprocess_executor.executor_creation_fn
        assert create is not None
        return SignedExecutor(create(context._replace(executor_config=config)))

    return processes


class SignedExecutor(dg.Executor):
    """Another executor that notes in each run which process executes it."""

    def __init__(self, inner: dg.Executor) -> None:
        self._inner = inner

    @property
    def retries(self) -> Any:
        return self._inner.retries

    @property
    def step_dependency_config(self) -> Any:
        return self._inner.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        plan_context.instance.add_run_tags(plan_context.run_id, {tags.PROCESS: process_name()})
        yield from self._inner.execute(plan_context, execution_plan)
