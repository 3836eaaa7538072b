"""Which run and step a piece of work belongs to."""

from dagster import AssetExecutionContext, OpExecutionContext

from wan_pipelines.rendering.takes import RunReference


def run_of(context: AssetExecutionContext | OpExecutionContext) -> RunReference:
    if isinstance(context, AssetExecutionContext):
        context = context.op_execution_context
    step = context.get_step_execution_context().step.key
    mapping = context.get_mapping_key()
    return RunReference(context.run_id, f"{step}[{mapping}]" if mapping else step)
