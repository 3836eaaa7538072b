"""What the API server says that may pass, and what it means."""

from typing import Any

import pytest
from dagster_k8s.client import DagsterKubernetesClient
from kubernetes.client import ApiException, BatchV1Api, CoreV1Api, V1Job, V1JobStatus
from urllib3.exceptions import ProtocolError

from wan_pipelines.components.api_client import ANSWER_SECONDS, MOST_REFUSALS, PatientClient


class Answering(BatchV1Api):
    """Gives these answers in turn, then takes every Job."""

    def __init__(self, *answers: Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.made = 0

    def create_namespaced_job(self, *_: Any, **__: Any) -> None:
        if self.answers:
            raise self.answers.pop(0)
        self.made += 1


def client_of(batch: BatchV1Api) -> PatientClient:
    return PatientClient.like(DagsterKubernetesClient.production_client(batch, CoreV1Api()))


def make(batch: Answering) -> None:
    client_of(batch).create_namespaced_job_with_retries({}, "wan", wait_time_between_attempts=0)


def test_a_server_that_goes_and_comes_back_gets_the_job_once():
    starting = [ApiException(status=403)] * 3  # it has not read yet who may do what
    batch = Answering(ProtocolError("reset"), ApiException(status=503), *starting)
    make(batch)
    assert batch.made == 1


def test_a_job_that_is_there_is_the_one_that_was_meant():
    make(Answering(ProtocolError("the answer was lost"), ApiException(status=409)))


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_what_the_server_means_is_raised(status: int):
    with pytest.raises(ApiException):
        make(Answering(*[ApiException(status=status)] * (MOST_REFUSALS + 1)))


class Telling(BatchV1Api):
    """Tells the same of every Job; `patience` is how long it was given."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer
        self.patience: float | None = None

    def read_namespaced_job_status(self, *_: Any, _request_timeout: float, **__: Any) -> Any:
        self.patience = _request_timeout
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def test_nobody_waits_for_ever_for_what_becomes_of_a_job():
    server = Telling(V1Job(status=V1JobStatus(active=1)))
    assert client_of(server).job_status("render", "wan").active == 1
    assert server.patience == ANSWER_SECONDS


def test_a_job_that_is_not_there_has_no_status_and_a_server_that_fails_tells_none():
    assert client_of(Telling(ApiException(status=404))).job_status("render", "wan") is None
    with pytest.raises(ApiException):
        client_of(Telling(ApiException(status=503))).job_status("render", "wan")
