"""Which run and step a piece of work belongs to."""

from dagster import AssetExecutionContext, OpExecutionContext

from wan_pipelines.rendering.takes import RunReference


def run_of(context: AssetExecutionContext | OpExecutionContext) -> RunReference:
    if isinstance(context, AssetExecutionContext):
        context = context.op_execution_context
    return RunReference(context.run_id, context.get_step_execution_context().step.key)
