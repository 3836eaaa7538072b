"""The API server's clients of runs, and of who launches them: they wait for one that restarts."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self, TypeVar

import urllib3.exceptions
from dagster_k8s.client import DagsterKubernetesClient
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

PAUSE_SECONDS = 1
PATIENCE_SECONDS = 300
ANSWER_SECONDS = 30
SERVER_ERRORS = range(500, 600)
REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
MOST_REFUSALS = 15

T = TypeVar("T")


class JobMaker(DagsterKubernetesClient):
    """Makes Jobs through an outage of some minutes, as an upgrade of a control plane brings it.

    A server that takes a question and never answers is one that is away: without a limit the
    process that asks would wait for as long as its connection seems to stand.
    """

    @classmethod
    def like(cls, made: DagsterKubernetesClient) -> Self:
        return cls(made.batch_api, made.core_api, made.logger, made.sleeper, made.timer)

    def create_namespaced_job_with_retries(
        self,
        body: Any,
        namespace: str,
        wait_time_between_attempts: float = PAUSE_SECONDS,
    ) -> None:
        """A Job that is there is the one that was meant: its name says run, step and attempt. A run
        that is resumed finds those of its steps, and the health check says what became of them.
        """
        _patiently(lambda: self._create(body, namespace), wait_time_between_attempts)

    def job_status(self, job_name: str, namespace: str) -> Any:
        """What becomes of a Job (V1JobStatus), asked once; None if there is no such Job."""
        import kubernetes.client

        try:
            return self.batch_api.read_namespaced_job_status(
                job_name, namespace, _request_timeout=ANSWER_SECONDS
            ).status
        except kubernetes.client.ApiException as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _create(self, body: Any, namespace: str) -> None:
        import kubernetes.client

        try:
            self.batch_api.create_namespaced_job(
                body=body, namespace=namespace, _request_timeout=ANSWER_SECONDS
            )
        except kubernetes.client.ApiException as error:
            if error.status != HTTPStatus.CONFLICT:
                raise


class PatientClient(JobMaker):
    """Deletes Jobs as patiently. All else is asked again by whoever asks, at the next look."""

    @classmethod
    def of_this_process(cls) -> Self:
        """For the server that this process has loaded the configuration of."""
        return cls.like(DagsterKubernetesClient.production_client())

    def end_jobs(self, run_id: str, namespace: str, component: str = "") -> list[str]:
        """Delete a run's Jobs that have not ended, of one component or of all; returns names."""
        only = f",app.kubernetes.io/component={component}" if component else ""
        labels = f"dagster/run-id={run_id}{only}"
        found = self.batch_api.list_namespaced_job(
            namespace, label_selector=labels, _request_timeout=ANSWER_SECONDS
        ).items
        names = [job.metadata.name for job in found if not job.status.conditions]
        for name in names:
            self.delete_job(name, namespace)
        return names

    def delete_job(self, job_name: str, namespace: str) -> bool:
        """False if there is no such Job."""
        return _patiently(lambda: super(PatientClient, self).delete_job(job_name, namespace))


def _patiently(call: Callable[[], T], pause_seconds: float = PAUSE_SECONDS) -> T:
    attempts = Retrying(
        retry=retry_if_exception(_MayPass()),
        wait=wait_fixed(pause_seconds),
        stop=stop_after_delay(PATIENCE_SECONDS),
        reraise=True,
    )
    return attempts(call)


@dataclass
class _MayPass:
    """Whether what was raised may pass. A server that has just started refuses everybody, until it
    has read who may do what; one that goes on refusing means it.
    """

    refusals: int = 0

    def __call__(self, error: BaseException) -> bool:
        import kubernetes.client

        if not isinstance(error, kubernetes.client.ApiException):
            return isinstance(error, urllib3.exceptions.HTTPError)
        if error.status in REFUSALS:
            self.refusals += 1
            return self.refusals <= MOST_REFUSALS
        return error.status in SERVER_ERRORS or error.status == HTTPStatus.TOO_MANY_REQUESTS
