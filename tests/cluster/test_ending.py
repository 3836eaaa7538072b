from datetime import UTC, datetime, timedelta

import pytest
from kubernetes.client import V1ObjectMeta, V1Pod, V1PodStatus

from wan_pipelines.cluster.ending import LATE, any_at_work

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def pod(phase: str, ends_in: timedelta | None = None) -> V1Pod:
    ends_at = None if ends_in is None else NOW + ends_in
    return V1Pod(metadata=V1ObjectMeta(deletion_timestamp=ends_at), status=V1PodStatus(phase=phase))


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([pod("Running", timedelta(seconds=25))], True),  # evicted, within its grace
        ([pod("Running", -LATE / 2)], True),  # its kubelet is late
        ([pod("Running", -LATE)], False),  # its node is gone
        ([pod("Running")], True),
        ([pod("Failed"), pod("Succeeded", timedelta(seconds=25))], False),
        ([pod("Succeeded"), pod("Running", timedelta(seconds=25))], True),  # one took its place
        ([], False),
    ],
)
def test_who_was_told_to_end_is_at_work_until_its_grace_is_over(pods: list[V1Pod], expected: bool):
    assert any_at_work(pods, NOW) is expected
