"""Events of engines in other processes: one that measures, one that serves."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Final

from wan_pipelines.encoding.fidelity import scorer_named
from wan_pipelines.engines.estimating.of_release import release_model
from wan_pipelines.engines.remote.engine import open_remote_engine
from wan_pipelines.engines.remote.servers import RemoteServer
from wan_pipelines.errors import EngineError
from wan_pipelines.places import ENVIRONMENT_VARIABLE, ROOT_VARIABLE, STATE_VARIABLE
from wan_pipelines.serving.keys import KEYS_VARIABLE
from wan_pipelines.studio.benching.candidates import served_as
from wan_pipelines.studio.benching.child import Task, measured
from wan_pipelines.studio.benching.events import Event, Loaded, Missing, from_line
from wan_pipelines.studio.benching.measuring import Bench
from wan_pipelines.studio.benching.scenarios import Scenario
from wan_pipelines.studio.studio import Studio

CHILD: Final = "wan_pipelines.studio.benching.child"
SERVE: Final = "from wan_pipelines.cli import main; main()"
ADDRESS: Final = re.compile(r"http://[\d.]+:\d+")
POLL_SECONDS: Final = 0.02
START_SECONDS: Final = 1800.0
"""Until a server's engine must be loaded: its weights may have to be fetched."""
END_SECONDS: Final = 10.0


def of_process(task: Task) -> Iterator[Event]:
    """Measured by a process of its own, which is gone when this ends."""
    with TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,  # Ctrl-C is for us
        )
        with _ended(process):
            assert process.stdin
            assert process.stdout
            process.stdin.write(task.to_text())
            process.stdin.close()
            yield from map(from_line, process.stdout)
            if process.wait():
                yield Missing(f"its process ended with {process.returncode}: {_last_words(said)}")


def of_server(studio: Studio, task: Task, chosen: Sequence[Scenario]) -> Iterator[Event]:
    """Measured from here, on a server that is started for it; EngineError if it does not start."""
    release = studio.release(task.release)
    architecture = release_model(release, studio.cache / "weights").architecture
    served = served_as(release, task.candidate.tier, architecture)
    started = time.monotonic()
    with _server(task) as (process, address):
        engine = open_remote_engine(served, RemoteServer(address, poll_seconds=POLL_SECONDS))
        _until_ready(process, address, engine_wait=START_SECONDS)
        yield Loaded(time.monotonic() - started)
        bench = Bench(
            engine=engine,
            release=served,
            tier=task.candidate.tier,
            scorer=scorer_named(release.scorer) if release.scorer else None,
            memory=lambda: peak_bytes(process.pid),
        )
        yield from measured(bench, chosen)


def peak_bytes(pid: int) -> int:
    """The most main memory that a process has held (Linux); 0 where nobody knows."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    kib = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(kib[0]) * 1024 if kib else 0


@contextmanager
def _server(task: Task) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`wan engine serve` on a port of its own, with jobs that nobody keeps; and its address."""
    variables = {
        **os.environ,
        ROOT_VARIABLE: task.root,
        STATE_VARIABLE: task.state,
        ENVIRONMENT_VARIABLE: task.environment,
    }
    variables.pop(KEYS_VARIABLE, None)
    with TemporaryDirectory(prefix="wan-bench-") as folder, TemporaryFile("w+") as said:
        argv = [sys.executable, "-c", SERVE, "engine", "serve", task.release]
        process = subprocess.Popen(
            [*argv, "--port", "0", "--folder", folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            text=True,
            env=variables,
            start_new_session=True,
        )
        with _ended(process):
            yield process, _address(process, said)


def _address(process: subprocess.Popen[str], said: IO[str]) -> str:
    """What the server says it listens at."""
    while True:
        gone = process.poll() is not None
        said.seek(0)
        found = ADDRESS.search(said.read())
        if found:
            return found[0]
        if gone:
            raise EngineError(f"The server does not start: {_last_words(said)}")
        time.sleep(POLL_SECONDS)


def _until_ready(process: subprocess.Popen[str], address: str, *, engine_wait: float) -> None:
    import httpx2

    deadline = time.monotonic() + engine_wait
    while httpx2.get(f"{address}/readyz", timeout=engine_wait).status_code != httpx2.codes.OK:
        if process.poll() is not None or time.monotonic() > deadline:
            raise EngineError(
                f"The engine of the server at {address} does not load. Try `wan engine serve`."
            )
        time.sleep(POLL_SECONDS)


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _last_words(said: IO[str]) -> str:
    said.seek(0)
    lines = [line.strip() for line in said.read().splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."
