"""Which run and step a piece of work belongs to, and which failures are worth another attempt."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster import AssetExecutionContext, OpExecutionContext

from wan_pipelines.errors import EngineError, InputError, RenderError, WeightsError, WorkerDied
from wan_pipelines.rendering.takes import RunReference

CANCELLED = {dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED}
LASTING = (InputError, WeightsError, EngineError, RenderError, WorkerDied)


@contextmanager
def lasting_errors_told() -> Iterator[None]:
    """Fails a step at once for what its next attempt would only meet again."""
    try:
        yield
    except LASTING as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def run_of(context: AssetExecutionContext | OpExecutionContext) -> RunReference:
    if isinstance(context, AssetExecutionContext):
        context = context.op_execution_context
    return RunReference(context.run_id, context.get_step_execution_context().step.key)
