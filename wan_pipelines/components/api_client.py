"""The API server's clients of runs, and of who launches them: they wait for one that restarts."""

from typing import Any, Self

import urllib3.exceptions
from dagster_k8s.client import DagsterKubernetesClient, k8s_api_retry_creation_mutation
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

PAUSE_SECONDS = 1
PATIENCE_SECONDS = 300
ANSWER_SECONDS = 30
SERVER_ERRORS = range(500, 600)
TOO_MANY_REQUESTS = 429
CONFLICT = 409


class JobMaker(DagsterKubernetesClient):
    """Makes Jobs through an outage of some minutes, as an upgrade of a control plane brings it."""

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
        k8s_api_retry_creation_mutation(
            lambda: self._create(body, namespace),
            max_retries=PATIENCE_SECONDS // PAUSE_SECONDS,
            timeout=wait_time_between_attempts,
        )

    def _create(self, body: Any, namespace: str) -> None:
        import kubernetes.client

        try:
            self.batch_api.create_namespaced_job(
                body=body, namespace=namespace, _request_timeout=ANSWER_SECONDS
            )
        except kubernetes.client.ApiException as error:
            if error.status != CONFLICT:
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
        found = self.batch_api.list_namespaced_job(namespace, label_selector=labels).items
        names = [job.metadata.name for job in found if not job.status.conditions]
        for name in names:
            self.delete_job(name, namespace)
        return names

    def delete_job(self, job_name: str, namespace: str) -> bool:
        """False if there is no such Job."""
        attempts = Retrying(
            retry=retry_if_exception(_may_pass),
            wait=wait_fixed(PAUSE_SECONDS),
            stop=stop_after_delay(PATIENCE_SECONDS),
            reraise=True,
        )
        return attempts(super().delete_job, job_name, namespace)


def _may_pass(error: BaseException) -> bool:
    import kubernetes.client

    if isinstance(error, kubernetes.client.ApiException):
        return error.status in SERVER_ERRORS or error.status == TOO_MANY_REQUESTS
    return isinstance(error, urllib3.exceptions.HTTPError)
