from typing import Any

import pytest
from kubernetes.client import (
    CoreV1Event,
    V1ContainerState,
    V1ContainerStateRunning,
    V1ContainerStateWaiting,
    V1ContainerStatus,
    V1ObjectMeta,
    V1ObjectReference,
    V1Pod,
    V1PodCondition,
    V1PodStatus,
)

from wan_pipelines.cluster.waiting import why_waiting

UNSCHEDULED = V1PodCondition(
    type="PodScheduled", status="False", message="0/3 nodes: 3 Insufficient nvidia.com/gpu."
)


def pod(phase: str, **status: Any) -> V1Pod:
    return V1Pod(status=V1PodStatus(phase=phase, **status))


def event(reason: str, message: str) -> CoreV1Event:
    about = V1ObjectReference(kind="Job", name="job")
    return CoreV1Event(
        involved_object=about, metadata=V1ObjectMeta(), reason=reason, message=message
    )


def held(reason: str, message: str | None = None) -> V1ContainerStatus:
    waiting = V1ContainerStateWaiting(reason=reason, message=message)
    return status(V1ContainerState(waiting=waiting))


def status(state: V1ContainerState) -> V1ContainerStatus:
    return V1ContainerStatus(
        name="dagster", image="wan", image_id="", ready=False, restart_count=0, state=state
    )


@pytest.mark.parametrize(
    ("pods", "events", "words"),
    [
        ([pod("Pending", conditions=[UNSCHEDULED])], [], "no node is free: 0/3 nodes"),
        (
            [pod("Pending", container_statuses=[held("ImagePullBackOff", "no such image")])],
            [],
            "ImagePullBackOff: no such image",
        ),
        (
            [pod("Pending", init_container_statuses=[held("CreateContainerConfigError")])],
            [],
            "CreateContainerConfigError: dagster",
        ),
        ([], [event("FailedCreate", "exceeded quota: gpus")], "no pod: exceeded quota: gpus"),
    ],
)
def test_why_a_pod_waits_is_told_in_the_clusters_words(
    pods: list[V1Pod], events: list[CoreV1Event], words: str
):
    assert words in (why_waiting(pods, events) or "")


@pytest.mark.parametrize(
    ("pods", "events"),
    [
        ([], []),
        ([], [event("SuccessfulCreate", "Created pod")]),
        ([pod("Pending")], []),
        ([pod("Pending", container_statuses=[held("ContainerCreating")])], []),
        (
            [
                pod(
                    "Running",
                    container_statuses=[
                        status(V1ContainerState(running=V1ContainerStateRunning()))
                    ],
                )
            ],
            [event("FailedCreate", "it took two attempts")],
        ),
    ],
)
def test_a_pod_that_runs_or_is_just_made_does_not_wait(
    pods: list[V1Pod], events: list[CoreV1Event]
):
    assert why_waiting(pods, events) is None
