"""A small kubelet for tests: nodes with GPUs, whose pods are processes of this machine.

It registers nodes, watches for pods that the real scheduler binds to them, runs their init
containers and containers, honours deadlines and graces, and reports what a kubelet reports. What
it has not: isolation, images, mounts. A volume is a folder, and where environment or arguments name
a path below a mount, they are given that folder's.
"""

import base64
import json
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3

from tests.support.control_plane import HAS_GONE, NAMESPACE, Api, ControlPlane, Json
from tests.support.pod_image import Container, Image

GPU = "nvidia.com/gpu"
POLL_SECONDS = 0.05
WATCH_SECONDS = 2
AWAY = (urllib3.exceptions.HTTPError, AssertionError, json.JSONDecodeError)
"""What a server that is not there, or not yet whole, is known by."""
NOT_READY = "node.kubernetes.io/not-ready"
CAPACITY = {"cpu": "64", "memory": "512Gi", "ephemeral-storage": "900Gi", "pods": "50"}


@dataclass
class RunningPod:
    """A pod that is bound to one of the nodes."""

    name: str
    uid: str
    node: str
    spec: Json
    labels: Mapping[str, str]
    log: Path
    namespace: str = NAMESPACE
    seen_at: float = field(default_factory=time.time)
    container: Container | None = None
    told_to_end: float | None = None
    killed_for: str = ""
    is_gone: bool = False

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"

    @property
    def is_running(self) -> bool:
        return self.container is not None

    @property
    def said(self) -> str:
        """What its containers have printed so far."""
        return self.log.read_text() if self.log.exists() else ""


@dataclass
class Kubelet:
    """All nodes of the test cluster."""

    plane: ControlPlane
    image: Image
    folder: Path
    variables: Mapping[str, str]
    pods: dict[str, RunningPod] = field(default_factory=dict)
    nodes: dict[str, Json] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.api: Api = self.plane.api()
        self._watcher = threading.Thread(target=self._watch, name="kubelet", daemon=True)

    def add_node(self, name: str, gpus: int = 0, labels: Mapping[str, str] | None = None) -> None:
        """A node that is ready, with so many GPUs."""
        capacity = {**CAPACITY, **({GPU: str(gpus)} if gpus else {})}
        self.nodes[name] = capacity
        self.api.create("/api/v1/nodes", {"metadata": {"name": name, "labels": dict(labels or {})}})
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
        status = {"capacity": capacity, "allocatable": capacity, "conditions": [ready]}
        self.api.patch(f"/api/v1/nodes/{name}/status", {"status": status})
        taints = self.api.call("GET", f"/api/v1/nodes/{name}")["spec"].get("taints", [])
        kept = [taint for taint in taints if taint["key"] != NOT_READY]
        self.api.patch(f"/api/v1/nodes/{name}", {"spec": {"taints": kept}})

    def remove_node(self, name: str) -> None:
        """It is taken out of service; its pods have ended before."""
        self.nodes.pop(name)
        self.api.delete(f"/api/v1/nodes/{name}")

    def lose_node(self, name: str) -> None:
        """It is gone without notice; the cloud's controller removes it and the pods it had."""
        lost = [pod for pod in self.pods.values() if pod.node == name]
        for pod in lost:
            pod.is_gone = True
            self._kill(pod)
        self.remove_node(name)
        for pod in lost:
            self.api.delete(pod.path, 0)

    def kill(self, pod: RunningPod) -> None:
        """`kill -9` of everything in it."""
        self._kill(pod)

    def evict(self, pod: RunningPod) -> None:
        """The polite way, as a drain or a preemption takes it."""
        body = {
            "apiVersion": "policy/v1beta1",
            "kind": "Eviction",
            "metadata": {"name": pod.name, "namespace": pod.namespace},
        }
        self.api.call("POST", f"{pod.path}/eviction", body, allow=HAS_GONE)

    def labelled(self, **labels: str) -> list[RunningPod]:
        """Pods with these labels, in the order in which they came; a label may have a prefix."""
        return [pod for pod in list(self.pods.values()) if _has(pod, labels)]

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        """No process outlives it."""
        self._stop.set()
        for pod in list(self.pods.values()):
            pod.is_gone = True
            self._kill(pod)
        self._watcher.join(30)
        self.api.close()

    def _watch(self) -> None:
        """Lists pods, hears of changes for a while, lists them again: a server may restart."""
        while not self._stop.is_set():
            try:
                found = self.api.call("GET", "/api/v1/pods")
                for each in found["items"]:
                    self._see(each)
                self._hear(found["metadata"]["resourceVersion"])
            except AWAY:
                self._stop.wait(POLL_SECONDS)

    def _hear(self, version: str) -> None:
        query = f"watch=1&timeoutSeconds={WATCH_SECONDS}&resourceVersion={version}"
        stream = self.api.raw("GET", f"/api/v1/pods?{query}", stream=True)
        try:
            rest = b""
            for piece in stream.stream(amt=None):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    change = json.loads(line)
                    if change["type"] in ("ADDED", "MODIFIED"):
                        self._see(change["object"])
        finally:
            stream.release_conn()

    def _see(self, told: Json) -> None:
        meta, node = told["metadata"], told["spec"].get("nodeName")
        pod = self.pods.get(meta["uid"])
        if pod is None:
            if node in self.nodes and told["status"]["phase"] == "Pending":
                pod = RunningPod(
                    name=meta["name"],
                    uid=meta["uid"],
                    node=node,
                    spec=told["spec"],
                    labels=meta.get("labels", {}),
                    log=self.folder / f"{meta['name']}.log",
                    namespace=meta["namespace"],
                )
                self.pods[pod.uid] = pod
                name = f"pod {pod.name}"
                threading.Thread(target=self._live, args=(pod,), name=name, daemon=True).start()
            return
        if "deletionTimestamp" in meta and pod.told_to_end is None:
            pod.told_to_end = time.monotonic() + meta.get("deletionGracePeriodSeconds", 30)

    def _live(self, pod: RunningPod) -> None:
        """The life of a pod, from its first container to the last word about it."""
        started = time.monotonic()
        begun = _now()
        code, reason = 0, ""
        for container in pod.spec.get("initContainers", []):
            code = self._run(pod, container, started, begun)
            if code:
                reason = "Init:Error"
                break
        else:
            for container in pod.spec["containers"]:
                code = self._run(pod, container, started, begun, is_main=True)
        if pod.is_gone or self._stop.is_set():
            return
        reason = pod.killed_for or reason or ("Completed" if code == 0 else "Error")
        phase = "Succeeded" if code == 0 and not pod.killed_for else "Failed"
        terminated = {"exitCode": code, "reason": reason, "startedAt": begun, "finishedAt": _now()}
        self._report(pod, {"phase": phase, **_statuses(pod, {"terminated": terminated})})
        if pod.told_to_end is not None:
            self._persist(lambda: self.api.delete(pod.path, 0))

    def _run(
        self,
        pod: RunningPod,
        container: Json,
        started: float,
        begun: str,
        *,
        is_main: bool = False,
    ) -> int:
        if pod.told_to_end is not None:
            return 128 + signal.SIGTERM
        variables, argv = self._container(pod, container)
        pod.container = self.image.run(argv, variables, pod.log)
        if is_main:
            running = _statuses(pod, {"running": {"startedAt": begun}})
            self._report(pod, {"phase": "Running", "startTime": begun, **running})
        is_told = False
        deadline_seconds = pod.spec.get("activeDeadlineSeconds")
        while (code := pod.container.wait(POLL_SECONDS)) is None:
            now = time.monotonic()
            if pod.told_to_end is not None and not is_told:
                pod.container.signal(signal.SIGTERM)
                is_told = True
            if pod.told_to_end is not None and now > pod.told_to_end:
                self._kill(pod)
            if deadline_seconds and now - started > deadline_seconds:
                pod.killed_for = "DeadlineExceeded"
                self._kill(pod)
        pod.container = None
        return code

    def _container(self, pod: RunningPod, container: Json) -> tuple[dict[str, str], list[str]]:
        """Its environment and its command, with mounts resolved."""
        mounts = self._mounts(pod, container)
        variables = {**self.variables, **self._from_references(pod, container)}
        account = pod.spec.get("serviceAccountName", "default")
        sees_api = pod.spec.get("automountServiceAccountToken", True)
        variables["KUBECONFIG"] = str(self.plane.kubeconfig(account if sees_api else "nobody"))
        if not sees_api:
            variables["KUBECONFIG"] = str(pod.log.with_suffix(".no-token"))
        for variable in container.get("env", []):
            variables[variable["name"]] = _resolved(variable.get("value", ""), mounts)
        argv = [*container.get("command", []), *container.get("args", [])]
        return variables, [_resolved(word, mounts) for word in argv]

    def _from_references(self, pod: RunningPod, container: Json) -> dict[str, str]:
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            if "secretRef" in source:
                name = source["secretRef"]["name"]
                data = self.api.call("GET", f"/api/v1/namespaces/{pod.namespace}/secrets/{name}")
                decoded = data.get("data", {}).items()
                found.update({key: base64.b64decode(value).decode() for key, value in decoded})
            else:
                name = source["configMapRef"]["name"]
                path = f"/api/v1/namespaces/{pod.namespace}/configmaps/{name}"
                found.update(self.api.call("GET", path).get("data", {}))
        return found

    def _mounts(self, pod: RunningPod, container: Json) -> dict[str, Path]:
        """Folders by the paths where the container sees them; only emptyDirs are folders here."""
        volumes = {volume["name"]: volume for volume in pod.spec.get("volumes", [])}
        mounts = {}
        for mount in container.get("volumeMounts", []):
            if "emptyDir" in volumes[mount["name"]]:
                folder = self.folder / "volumes" / pod.uid / mount["name"]
                folder.mkdir(parents=True, exist_ok=True)
                mounts[mount["mountPath"]] = folder
        return mounts

    def _kill(self, pod: RunningPod) -> None:
        container = pod.container
        if container:
            container.signal(signal.SIGKILL)

    def _report(self, pod: RunningPod, status: Json) -> None:
        if not pod.is_gone:
            path = f"{pod.path}/status"
            self._persist(lambda: self.api.patch(path, {"status": status}, allow=HAS_GONE))

    def _persist(self, call: Any) -> None:
        """A kubelet reports when the API server is there again."""
        while not self._stop.is_set():
            try:
                call()
                return
            except AWAY:
                time.sleep(POLL_SECONDS)


@contextmanager
def running_kubelet(
    plane: ControlPlane, image: Image, folder: Path, variables: Mapping[str, str]
) -> Iterator[Kubelet]:
    """A kubelet without nodes yet, whose containers have these variables to begin with."""
    kubelet = Kubelet(plane, image, folder, variables)
    kubelet.start()
    try:
        yield kubelet
    finally:
        kubelet.stop()


def _statuses(pod: RunningPod, state: Json) -> Json:
    statuses = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": "running" in state,
            "restartCount": 0,
            "state": state,
        }
        for container in pod.spec["containers"]
    ]
    return {"containerStatuses": statuses}


def _has(pod: RunningPod, labels: Mapping[str, str]) -> bool:
    found = {name.rpartition("/")[2]: value for name, value in pod.labels.items()}
    return labels.items() <= found.items()


def _resolved(text: str, mounts: Mapping[str, Path]) -> str:
    """A path below a mount is one in the volume's folder."""
    for path in sorted(mounts, key=len, reverse=True):
        if text == path or text.startswith(f"{path}/"):
            return str(mounts[path]) + text.removeprefix(path)
    return text


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
