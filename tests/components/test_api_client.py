"""What the API server says that may pass, and what it means."""

from typing import Any

import pytest
from dagster_k8s.client import DagsterKubernetesClient
from kubernetes.client import ApiException, BatchV1Api, CoreV1Api
from urllib3.exceptions import ProtocolError

from wan_pipelines.components.api_client import MOST_REFUSALS, PatientClient


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


def make(batch: Answering) -> None:
    client = PatientClient.like(DagsterKubernetesClient.production_client(batch, CoreV1Api()))
    client.create_namespaced_job_with_retries({}, "wan", wait_time_between_attempts=0)


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
