"""The Jobs of a run's steps: made once, watched until the step has told its end, removed.

What dagster-k8s lacks: it makes the launcher in every step, for which steps would need a token of
the API server; it takes a Job whose pod was replaced, or ended without a word, for one that still
runs; one whose pod is told to go, and works on for its grace, for one that has ended; a step that
waits for a GPU for one that renders; and gives a run up when the API server is away for longer than
a few seconds.
"""

import time
from collections.abc import Generator, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster._core.events import EngineEventData
from dagster._core.executor.step_delegating import (
    CheckStepHealthResult,
    StepDelegatingExecutor,
    StepHandlerContext,
)
from dagster._core.instance.ref import InstanceRef
from dagster_k8s.executor import K8sStepHandler
from dagster_shared.record import copy as changed

from wan_pipelines.cluster.ending import any_at_work
from wan_pipelines.cluster.waiting import why_waiting
from wan_pipelines.components.api_client import ANSWER_SECONDS, PatientClient
from wan_pipelines.components.runs import CANCELLED


@dataclass
class _Watched:
    """What is known of a step's Jobs: why the present one waits and since when, or that it ended.

    `is_given_up`: one has waited for too long, and no other shall.
    """

    job: str = ""
    why: str | None = None
    waits_since: float = 0.0
    has_ended: bool = False
    is_given_up: bool = False


class StepJobs(K8sStepHandler):
    """Runs each step as a Job of one pod, and knows what becomes of it."""

    def __init__(self, *, wait_seconds: float, **how: Any) -> None:
        super().__init__(**how)
        self._api_client = PatientClient.of_this_process()
        self._wait_seconds = wait_seconds
        self._watched: dict[str, _Watched] = {}

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[dg.DagsterEvent]:
        args = step_handler_context.execute_step_args
        assert args.instance_ref
        told = copy(step_handler_context)
        told._execute_step_args = changed(args, instance_ref=without_launcher(args.instance_ref))
        yield from super().launch_step(told)

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """A step is lost when its Job is over, no pod of it is left, and it has told no end."""
        name = self._get_k8s_step_job_name(step_handler_context)
        namespace = self._get_container_context(step_handler_context).namespace
        assert namespace
        watched = self._watched.setdefault(self._get_step_key(step_handler_context), _Watched())
        if watched.job != name:
            watched.job, watched.has_ended = name, False
        status = self._api_client.job_status(name, namespace)
        pods = self._pods(name, namespace)
        if status and not (status.failed or status.succeeded):
            why = self._why_waiting(name, namespace, pods)
            return self._waiting(step_handler_context, watched, why)
        if any_at_work(pods, datetime.now(UTC)):
            return CheckStepHealthResult.healthy()
        return _ended(name, watched)

    def _waiting(
        self, context: StepHandlerContext, watched: _Watched, why: str | None
    ) -> CheckStepHealthResult:
        """A step that has a Job, and waits for a pod or a node if there is a `why`."""
        if why != watched.why:
            self._note(context, watched, why)
        if why and time.monotonic() - watched.waits_since > self._wait_seconds:
            watched.is_given_up = True
        if why and watched.is_given_up:
            namespace = self._get_container_context(context).namespace
            assert namespace
            self._api_client.delete_job(watched.job, namespace)
            return CheckStepHealthResult.unhealthy(
                f"Kubernetes job {watched.job} has waited for {self._wait_seconds / 3600:g} hours "
                f"and was removed: {why}"
            )
        return CheckStepHealthResult.healthy()

    def end_all(self, run_id: str, namespace: str) -> None:
        """Delete the Jobs of a run's steps that have not ended, whichever run pod made them."""
        self._api_client.end_jobs(run_id, namespace, component="step_worker")

    def _pods(self, name: str, namespace: str) -> list[Any]:
        core = self._api_client.core_api
        return core.list_namespaced_pod(
            namespace, label_selector=f"job-name={name}", _request_timeout=ANSWER_SECONDS
        ).items

    def _why_waiting(self, name: str, namespace: str, pods: list[Any]) -> str | None:
        core = self._api_client.core_api
        if pods:
            return why_waiting(pods, ())
        of_job = f"involvedObject.kind=Job,involvedObject.name={name}"
        told = core.list_namespaced_event(
            namespace, field_selector=of_job, _request_timeout=ANSWER_SECONDS
        )
        return why_waiting(pods, told.items)

    def _note(self, context: StepHandlerContext, watched: _Watched, why: str | None) -> None:
        """Say in the run's log that the step begins to wait, or has ceased to."""
        if watched.why is None:
            watched.waits_since = time.monotonic()
        watched.why = why
        step_context = context.get_step_context(self._get_step_key(context))
        words = f"{step_context.step.key} waits: {why}" if why else "It waits no longer."
        dg.DagsterEvent.engine_event(step_context, words, EngineEventData())


class PodsOfRun(StepDelegatingExecutor):
    """Ends the pods of a run that somebody cancelled.

    Dagster leaves them alone where runs are resumed: for it, whatever stops a run pod is an
    accident then.
    """

    def __init__(self, jobs: StepJobs, namespace: str, **how: Any) -> None:
        super().__init__(jobs, **how)
        self._jobs = jobs
        self._namespace = namespace

    def execute(self, plan_context: Any, execution_plan: Any) -> Generator[dg.DagsterEvent]:
        try:
            yield from super().execute(plan_context, execution_plan)
        finally:
            run = plan_context.instance.get_run_by_id(plan_context.run_id)
            if run and run.status in CANCELLED:
                self._jobs.end_all(run.run_id, self._namespace)


def _ended(name: str, watched: _Watched) -> CheckStepHealthResult:
    """No pod is left. What it told at last may be unread yet: it has until the next look."""
    if not watched.has_ended:
        watched.has_ended = True
        return CheckStepHealthResult.healthy()
    return CheckStepHealthResult.unhealthy(
        f"The pod of Kubernetes job {name} has ended, and the step has not told how: it was killed "
        "before it could, or took the place of one that was."
    )


def without_launcher(instance: InstanceRef) -> InstanceRef:
    """The instance as a step sees it: it launches and watches no runs, so it needs no cluster."""
    settings = {k: v for k, v in instance.settings.items() if k != "run_monitoring"}
    return instance._replace(run_launcher_data=None, settings=settings)
