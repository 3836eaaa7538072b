"""Why a pod does not run yet, from what the API server tells of it."""

from collections.abc import Iterable
from typing import Any

STARTING = {"ContainerCreating", "PodInitializing"}


def why_waiting(pods: Iterable[Any], events: Iterable[Any]) -> str | None:
    """Why a Job's pod does not run; None while it does, or is just about to.

    Args:
        pods: the Job's pods (V1Pod).
        events: those about the Job itself (CoreV1Event), which tell why it has no pod.
    """
    found = list(pods)
    if not found:
        return _why_no_pod(events)
    pending = [pod for pod in found if pod.status.phase == "Pending"]
    return next((why for why in map(_why_pending, pending) if why), None)


def _why_no_pod(events: Iterable[Any]) -> str | None:
    refused = [event for event in events if event.reason == "FailedCreate"]
    return f"the cluster makes no pod: {refused[-1].message}" if refused else None


def _why_pending(pod: Any) -> str | None:
    for condition in pod.status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False":
            return f"no node is free: {condition.message}"
    statuses = (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
    for status in statuses:
        waiting = status.state.waiting if status.state else None
        if waiting and waiting.reason and waiting.reason not in STARTING:
            return f"{waiting.reason}: {waiting.message or status.name}"
    return None
