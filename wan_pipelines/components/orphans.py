"""Runs whose process was killed: Dagster would show them as running for ever."""

import dagster as dg

from wan_pipelines.components import tags
from wan_pipelines.processes import is_gone

AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def close_orphans(instance: dg.DagsterInstance) -> None:
    """End runs whose process is gone, and free the pool slots they held."""
    for run in instance.get_runs(dg.RunsFilter(statuses=AT_WORK)):
        if not _is_orphan(instance, run):
            continue
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run)
        else:
            instance.report_run_failed(run, "The process that executed this run was killed.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def _is_orphan(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """A run that is executed again begins with its parent's tags: they say nothing about it."""
    process = run.tags.get(tags.PROCESS)
    if process is None or not is_gone(process):
        return False
    parent = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    return parent is None or parent.tags.get(tags.PROCESS) != process
