"""What this repository ships, in a folder of its own, and `wan dev` over it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
import yaml

from tests.support.project import Project
from wan_pipelines.cli.dev import LOOPBACK, ORDERLY_SECONDS
from wan_pipelines.processes import living_in

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 200
"""What anything may take while other programs use the cores; it is a few seconds otherwise."""
ENDED_SECONDS = ORDERLY_SECONDS + 15
"""When nothing of `wan dev` is left, whatever it was doing: then it kills, and ends itself."""
ENDS = {"SUCCESS", "FAILURE", "CANCELED"}
STATUS = "query Status($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"
FEW_SHOTS = {
    "prompts": ["a red ball moving left to right on a black background"],
    "variables": {},
    "seeds": [1, 2],
    "shapes": ["square"],
    "tier": "draft",
}


@dataclass(frozen=True, slots=True)
class Dev:
    """`wan dev`, with a process group of its own as a terminal gives it one."""

    project: Project
    process: subprocess.Popen[bytes]
    dagster: str
    videos: str
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def answers(self) -> bool:
        """Whether Dagster's UI is there."""
        try:
            with urlopen(f"{self.dagster}/server_info", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def wait_until(self, happened: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not happened():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)

    def status(self, run: str) -> str:
        """What Dagster says of a run. Asking costs nothing; a page that shows it, half a core."""
        question = json.dumps({"query": STATUS, "variables": {"run": run}}).encode()
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(f"{self.dagster}/graphql", question, headers), timeout=60) as answer:
            return json.load(answer)["data"]["runOrError"]["status"]

    def succeeds(self, run: str) -> None:
        self.wait_until(lambda: self.status(run) in ENDS)
        assert self.status(run) == "SUCCESS", self.said

    def groups(self) -> set[int]:
        """The process groups of `wan dev` and of all that it started."""
        found = {self.process.pid}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(ProcessLookupError):
                found.add(os.getpgid(child.pid))
        return found

    def left_after(self, told: Callable[[], object]) -> list[psutil.Process]:
        """Processes that are still there when it has ended well, and in time, as it was told."""
        groups = self.groups()
        told()
        assert self.process.wait(ENDED_SECONDS) == 0, self.said
        return [process for group in groups for process in living_in(group)]

    def kill(self) -> None:
        """Nothing is left, however a test ended."""
        if self.process.poll() is None:
            for group in self.groups():
                os.killpg(group, signal.SIGKILL)
        self.process.wait()


def deployment(root: Path, links: str, *, whole: bool) -> Project:
    """The shipped YAML; unless `whole`, the demo is cut down to two shots.

    The catalogue has no schedule here: nothing begins by itself while somebody looks.
    """
    for name in ("assets", "resources"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "workspace.yaml", root)
    change(root / "resources" / "local", links=links)
    change(root / "assets" / "campaigns" / "catalogue", schedule=None)
    if not whole:
        change(root / "assets" / "campaigns" / "demo", **FEW_SHOTS)
    return Project(root, weights=root)


def change(folder: Path, **attributes: Any) -> None:
    """Give attributes of a component other values."""
    path = folder / "defs.yaml"
    data = yaml.safe_load(path.read_text())
    data["attributes"].update(attributes)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


@contextmanager
def started(project: Project, dagster_port: int, links: str) -> Iterator[Dev]:
    """`wan dev`, at once; nothing is left of it after the block."""
    log = project.root / "wan-dev.log"
    wan = Path(sys.executable).with_name("wan")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [wan, "dev", "--port", str(dagster_port)],
            env={**os.environ, **project.variables},
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    dev = Dev(project, process, f"http://{LOOPBACK}:{dagster_port}", links, log)
    try:
        yield dev
    finally:
        dev.kill()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    with ExitStack() as stack:
        bound = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in bound]
