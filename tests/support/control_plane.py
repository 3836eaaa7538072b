"""A private Kubernetes control plane for tests: etcd, API server, controllers and scheduler.

The programs lie in the folder that KUBEBUILDER_ASSETS names, etcd there or on the PATH. Use it by
importing the fixture into a `conftest.py`: `from tests.support.control_plane import control_plane`.
Nothing runs pods: see `tests.support.kubelet`.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3

ASSETS = "KUBEBUILDER_ASSETS"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
CONTROLLERS = "job,garbagecollector,namespace,resourcequota,ttl-after-finished"
LOCAL = "127.0.0.1"
PATIENCE_SECONDS = 120
ADMIN = "admin"
ACCOUNTS = ("wan-runs", "wan-steps", "nobody")
NAMESPACE = "wan"
HAS_GONE = frozenset({404, 409})

Json = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """The API server for one user, in plain JSON."""

    address: str
    token: str
    certificate: Path

    def __post_init__(self) -> None:
        pool = urllib3.PoolManager(ca_certs=str(self.certificate), retries=False, maxsize=20)
        object.__setattr__(self, "_pool", pool)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        allow: frozenset[int] = frozenset(),
    ) -> Json:
        """The answer; an AssertionError tells what was refused, unless its status is allowed."""
        answer = self.raw(method, path, body, content_type=content_type)
        data = json.loads(answer.data or b"{}")
        if answer.status not in allow:
            assert answer.status < 300, f"{method} {path}: {answer.status} {data.get('message')}"
        return data

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        stream: bool = False,
    ) -> Any:
        """The answer whatever its status is."""
        pool: urllib3.PoolManager = getattr(self, "_pool")  # noqa: B009
        return pool.request(
            method,
            f"{self.address}{path}",
            body=None if body is None else json.dumps(body),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": content_type},
            preload_content=not stream,
            timeout=urllib3.Timeout(connect=5, read=None if stream else 30),
        )

    def create(self, path: str, *objects: Json) -> None:
        """Make objects of one kind; one that is there already stays."""
        for each in objects:
            self.call("POST", path, each, allow=HAS_GONE)

    def items(self, path: str) -> list[Json]:
        return self.call("GET", path)["items"]

    def patch(self, path: str, body: Json, *, allow: frozenset[int] = frozenset()) -> Json:
        merge = "application/merge-patch+json"
        return self.call("PATCH", path, body, content_type=merge, allow=allow)

    def delete(self, path: str, grace_seconds: int | None = None) -> None:
        """Nothing happens if it is not there."""
        body = {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        self.call("DELETE", path, {"propagationPolicy": "Background", **body}, allow=HAS_GONE)

    def close(self) -> None:
        getattr(self, "_pool").clear()  # noqa: B009


@dataclass(frozen=True)
class ControlPlane:
    """Running servers, and their users: an admin, and the service accounts of `NAMESPACE`."""

    folder: Path
    ports: Mapping[str, int]
    programs: Mapping[str, Path]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"https://{LOCAL}:{self.ports['api']}"

    def api(self, user: str = ADMIN) -> Api:
        return Api(self.address, f"{user}-token", self.folder / "certs" / "apiserver.crt")

    def kubeconfig(self, user: str = ADMIN) -> Path:
        """The file by which clients find the server as that user."""
        path = self.folder / f"{user}.kubeconfig"
        cluster = {
            "server": self.address,
            "certificate-authority": str(self.folder / "certs" / "apiserver.crt"),
        }
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": f"{user}-token"}}],
        }
        path.write_text(json.dumps(content))
        return path

    def stop(self, program: str) -> None:
        """Kill it."""
        process = self.processes.pop(program)
        process.kill()
        process.wait()

    def start(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.log").open("ab") as log:
            self.processes[program] = subprocess.Popen(
                [self.programs[program], *arguments], stdout=log, stderr=log, cwd=self.folder
            )

    def start_etcd(self) -> None:
        client, peer = (f"http://{LOCAL}:{self.ports[name]}" for name in ("etcd", "peer"))
        listen = [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
        quick = ["--unsafe-no-fsync", "--logger=zap", "--log-level=error"]
        self.start("etcd", "--data-dir=etcd", *listen, f"--listen-peer-urls={peer}", *quick)

    def start_api_server(self) -> None:
        """And wait until it answers."""
        self.start(
            "kube-apiserver",
            f"--etcd-servers=http://{LOCAL}:{self.ports['etcd']}",
            "--cert-dir=certs",
            f"--bind-address={LOCAL}",
            f"--advertise-address={LOCAL}",
            f"--secure-port={self.ports['api']}",
            "--token-auth-file=tokens.csv",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://wan.test",
            "--service-account-key-file=sa.key",
            "--service-account-signing-key-file=sa.key",
            "--disable-admission-plugins=ServiceAccount",
            "--allow-privileged=true",
        )
        self._wait_for("/readyz")

    def start_controllers(self) -> None:
        common = [f"--kubeconfig={self.kubeconfig()}", "--leader-elect=false", "--secure-port=0"]
        self.start(
            "kube-controller-manager",
            *common,
            "--port=0",
            f"--controllers={CONTROLLERS}",
            "--service-account-private-key-file=sa.key",
        )
        self.start("kube-scheduler", *common, "--port=0")

    def _wait_for(self, path: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers(path):
            process = self.processes["kube-apiserver"]
            log = self.folder / "kube-apiserver.log"
            assert process.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.1)

    def _answers(self, path: str) -> bool:
        api = None
        try:
            api = self.api()
            return api.raw("GET", path).status == 200
        except (OSError, urllib3.exceptions.HTTPError):
            return False
        finally:
            if api:
                api.close()


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One control plane for the session, with the namespace of runs in it."""
    with running_control_plane(tmp_path_factory.mktemp("kube"), programs()) as plane:
        yield plane


def programs() -> dict[str, Path]:
    """Where the programs are; skips where one is missing."""
    folder = os.environ.get(ASSETS)
    if not folder:
        pytest.skip(f"A Kubernetes control plane is needed: {ASSETS} names no folder with it")
    found = {name: Path(folder) / name for name in PROGRAMS}
    etcd = shutil.which("etcd")
    if etcd and not found["etcd"].exists():
        found["etcd"] = Path(etcd)
    missing = [name for name, path in found.items() if not path.exists()]
    if missing:
        pytest.skip(f"{ASSETS} lacks {', '.join(missing)}; etcd is Debian's etcd-server as well")
    return found


@contextmanager
def running_control_plane(folder: Path, found: Mapping[str, Path]) -> Iterator[ControlPlane]:
    """A control plane that ends with the block."""
    plane = ControlPlane(
        folder, dict(zip(("etcd", "peer", "api"), _free_ports(3), strict=True)), found
    )
    key = ["openssl", "genrsa", "-out", "sa.key", "2048"]
    subprocess.run(key, check=True, capture_output=True, cwd=folder)
    (folder / "tokens.csv").write_text("".join(f"{line}\n" for line in _users()))
    try:
        plane.start_etcd()
        plane.start_api_server()
        plane.start_controllers()
        api = plane.api()
        api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        api.close()
        yield plane
    finally:
        for name in reversed(list(plane.processes)):
            plane.stop(name)


def _users() -> Iterator[str]:
    yield f'{ADMIN}-token,{ADMIN},{ADMIN},"system:masters"'
    for name in ACCOUNTS:
        account = f"system:serviceaccount:{NAMESPACE}:{name}"
        groups = f"system:serviceaccounts,system:serviceaccounts:{NAMESPACE},system:authenticated"
        yield f'{name}-token,{account},{name},"{groups}"'


def _free_ports(number: int) -> Sequence[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server((LOCAL, 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in held]
