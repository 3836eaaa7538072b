"""`wan engine serve` in a process of its own."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from tests.support.project import Project

PATIENCE_SECONDS = 120.0


@contextmanager
def engine_server(
    project: Project, *options: str, **variables: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of the release `sample` that is ready, and its address; killed in the end."""
    process = project.start(
        "wan", "engine", "serve", "sample", "--port", "0", *options, **variables
    )
    assert process.stderr
    try:
        said = process.stderr.readline()
        address = re.search(r"http://[\d.:]+", said)
        assert address, said + process.stderr.read()
        _until_ready(address[0])
        yield process, address[0]
    finally:
        process.kill()
        process.communicate()


def _until_ready(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while httpx2.get(f"{address}/readyz", timeout=PATIENCE_SECONDS).status_code != 200:
        assert time.monotonic() < deadline, "the engine does not load"
        time.sleep(0.05)
