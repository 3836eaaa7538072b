"""Launches each run as a Job, and leaves runs alone while the API server does not answer."""

from typing import Any

import urllib3.exceptions
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import get_job_name_from_run_id

from wan_pipelines.components.api_client import JobMaker

GOES_ON = {DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING}


class PatientRunLauncher(K8sRunLauncher):
    """What dagster-k8s lacks: its launcher fails a run when the API server is away for seconds in
    the moment of its launch; and takes a pod that nobody can ask for as one that is lost, so that
    runs get a second pod, and fail after a few, while their first one works on.
    """

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self._api_client = JobMaker.like(self._api_client)

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """What the API server says of the pod of a run; if it says nothing, that it runs."""
        from kubernetes.client import ApiException

        attempt = self._get_resume_attempt_number(run)
        name = get_job_name_from_run_id(run.run_id, resume_attempt_number=attempt)
        namespace = self.get_container_context_for_run(run).namespace
        assert namespace
        try:
            status = self._api_client.job_status(name, namespace)
        except (ApiException, urllib3.exceptions.HTTPError) as error:
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"Nobody tells of {name}: {error}")
        if status is None:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"There is no Job {name}")
        return _told(name, status, run)


def _told(name: str, status: Any, run: DagsterRun) -> CheckRunHealthResult:
    """A pod that has ended although its run has not is lost, however it ended."""
    has_ended = not status.active and (status.failed or status.succeeded)
    if has_ended and (status.failed or run.status in GOES_ON):
        return CheckRunHealthResult(WorkerStatus.FAILED, f"Job {name} has ended before its run")
    return CheckRunHealthResult(WorkerStatus.SUCCESS if has_ended else WorkerStatus.RUNNING)
