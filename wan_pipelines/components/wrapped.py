"""Executors around executors."""

from collections.abc import Iterator
from typing import Any

import dagster as dg


class WrappedExecutor(dg.Executor):
    """Does what another executor does; what comes on top is its subclasses' business."""

    def __init__(self, inner: dg.Executor) -> None:
        self._inner = inner

    @property
    def retries(self) -> Any:
        return self._inner.retries

    @property
    def step_dependency_config(self) -> Any:
        return self._inner.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        yield from self._inner.execute(plan_context, execution_plan)
