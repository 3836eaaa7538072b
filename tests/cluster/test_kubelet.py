"""What the tests' kubelet does with a pod, on which all other tests of the cluster rest."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.scene import Scene
from tests.support.control_plane import NAMESPACE, Json

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("cluster")]

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
READS_SECRET = {"envFrom": [{"secretRef": {"name": "wan-secrets"}}]}


@pytest.fixture
def cluster(scene: Scene) -> Iterator[Scene]:
    yield scene
    for pod in scene.api.items(PODS):
        scene.api.delete(f"{PODS}/{pod['metadata']['name']}", 0)


def run(cluster: Scene, name: str, **spec: Any) -> None:
    pod = {"metadata": {"name": name}, "spec": {"restartPolicy": "Never", **spec}}
    cluster.api.create(PODS, pod)


def shell(script: str, **more: Any) -> Json:
    return {"name": "main", "image": "any", "command": ["sh", "-c", script], **more}


def ended(cluster: Scene, name: str) -> Json:
    """The status of a pod, after waiting for its end."""

    def status() -> Json | None:
        found = cluster.api.call("GET", f"{PODS}/{name}")["status"]
        return found if found["phase"] in {"Succeeded", "Failed"} else None

    return cluster.until(status)


def test_containers_run_one_after_the_other_with_their_secrets_and_folders(cluster: Scene):
    mounts = [{"name": "tmp", "mountPath": "/scratch"}]
    first = {**shell("echo weights > $PLACE", volumeMounts=mounts), "name": "first"}
    first["env"] = [{"name": "PLACE", "value": "/scratch/file"}]
    main = shell('grep weights "$0" && test -n "$WAN_LEDGER_URL"', volumeMounts=mounts)
    main = {**main, "args": ["/scratch/file"], **READS_SECRET}
    volumes = [{"name": "tmp", "emptyDir": {}}]
    run(cluster, "both", initContainers=[first], containers=[main], volumes=volumes)
    assert ended(cluster, "both")["phase"] == "Succeeded"


def test_nothing_runs_after_an_init_container_that_failed(cluster: Scene):
    first = {**shell("exit 3"), "name": "first"}
    run(cluster, "broken", initContainers=[first], containers=[shell("exit 0")])
    status = ended(cluster, "broken")
    assert status["phase"] == "Failed"
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


def test_a_pod_ends_at_its_deadline(cluster: Scene):
    run(cluster, "slow", containers=[shell("sleep 100")], activeDeadlineSeconds=1)
    state = ended(cluster, "slow")["containerStatuses"][0]["state"]
    assert state["terminated"]["reason"] == "DeadlineExceeded"


def test_a_pod_that_is_deleted_is_told_first_and_killed_after_its_grace(cluster: Scene):
    deaf = shell("trap '' TERM; while true; do sleep 0.1; done")
    run(cluster, "deaf", containers=[deaf], terminationGracePeriodSeconds=1)
    (pod,) = cluster.until(lambda: [p for p in cluster.kubelet.pods.values() if p.name == "deaf"])
    cluster.until(lambda: pod.is_running)
    cluster.kubelet.evict(pod)
    cluster.until(lambda: not pod.is_running)
    cluster.until(lambda: "deaf" not in {p["metadata"]["name"] for p in cluster.api.items(PODS)})
