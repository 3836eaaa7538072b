"""Whether a pod that was told to end may still do something."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubernetes.client import V1Pod

LATE = timedelta(seconds=30)
"""How long after its grace a pod may still be listed as running: clocks differ, kubelets are busy.
Whoever is listed for longer lies on a node that is gone.
"""
OVER = frozenset({"Succeeded", "Failed"})


def any_at_work(pods: Iterable["V1Pod"], now: datetime) -> bool:
    """Whether a process of these pods may still run, and tell something; `now` in UTC.

    A pod that is evicted works on until its grace ends, while its Job has failed, or has made
    another one, from the first moment.
    """
    return any(_at_work(pod, now) for pod in pods)


def _at_work(pod: "V1Pod", now: datetime) -> bool:
    if pod.status and pod.status.phase in OVER:
        return False
    ends_at: datetime | None = pod.metadata.deletion_timestamp if pod.metadata else None
    return ends_at is None or now < ends_at + LATE
