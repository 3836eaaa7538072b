"""What test pods run in: a process that has everything imported, and forks one for each container.

It stands for the container image. It listens on a socket; a request names argv, environment and
log; the answer is the pid, and at the container's end its exit status. `dagster` is run in the fork
itself, with an engine of no cost; any other program is executed.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

STEP_SECONDS = "WAN_TEST_STEP_SECONDS"
WARM = "--warm"
LINE_BYTES = 1 << 20
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Container:
    """A running container, as whoever started it sees it."""

    pid: int
    line: socket.socket

    def wait(self, seconds: float | None) -> int | None:
        """Its exit status, as a shell tells it; None if it still runs after so long."""
        self.line.settimeout(seconds)
        try:
            told = self.line.recv(LINE_BYTES)
        except TimeoutError:
            return None
        self.line.close()
        return int(told) if told else 137

    def signal(self, number: signal.Signals) -> None:
        """Of the container's first process, or, when it is to be killed, of all of them."""
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)


@dataclass(frozen=True)
class Image:
    """The process from which containers are forked."""

    door: Path

    def run(self, argv: Sequence[str], variables: Mapping[str, str], log: Path) -> Container:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        line.connect(str(self.door))
        request = {"argv": list(argv), "env": dict(variables), "log": str(log)}
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LINE_BYTES)
        line.sendall(json.dumps(request).encode())
        return Container(int(line.recv(LINE_BYTES)), line)


@contextmanager
def running_image(folder: Path, *, warm: bool = True) -> Iterator[Image]:
    """An image that is there until the end of the block, and its containers no longer.

    If it is not warm, containers import everything themselves, and render with the real engine.
    """
    door = folder / "door"
    with (folder / "image.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(door), *([WARM] if warm else [])],
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while not door.exists():
            assert process.poll() is None, (folder / "image.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Image(door)
    finally:
        process.kill()
        process.wait()


def serve(door: Path, *, warm: bool) -> NoReturn:
    if warm:
        import_everything()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    draft = door.with_suffix(".draft")
    listener.bind(str(draft))
    listener.listen(64)
    draft.rename(door)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _attend(line, warm=warm)
        line.close()


def import_everything() -> None:
    """What steps and runs import, and torch not."""
    import av  # noqa: F401
    import dagster_postgres  # noqa: F401
    import kubernetes.client  # noqa: F401
    import PIL.WebPImagePlugin  # noqa: F401
    import psycopg2  # noqa: F401
    from dagster._cli import api  # noqa: F401

    import wan_pipelines.components.step_jobs
    import wan_pipelines.definitions
    import wan_pipelines.studio.render_here  # noqa: F401


def _attend(line: socket.socket, *, warm: bool) -> NoReturn:
    """Fork a container, tell its pid, wait for it, tell its status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request = json.loads(line.recv(LINE_BYTES))
    pid = os.fork()
    if pid == 0:
        line.close()
        _become(request, warm=warm)
    line.sendall(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    _kill_group(pid)
    with suppress(BrokenPipeError):
        line.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _kill_group(pid: int) -> None:
    """With its first process a container ends."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _become(request: Mapping[str, Any], *, warm: bool) -> NoReturn:
    os.setsid()
    log = os.open(request["log"], os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ.clear()
    os.environ.update(request["env"])
    argv = request["argv"]
    try:
        if warm and Path(argv[0]).name == "dagster":
            _dagster(argv)
        os.execvpe(argv[0], argv, request["env"])
    except BaseException:
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(127)


def _dagster(argv: list[str]) -> NoReturn:
    from dagster._cli import main
    from kubernetes.config import kube_config

    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = os.environ["KUBECONFIG"]  # read when it is imported
    if "execute_step" in argv:
        _draw_for_nothing()
    sys.argv = argv
    status: Any = 0
    try:
        main()
    except SystemExit as end:
        status = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(bool(status)))


def _draw_for_nothing() -> None:
    """Workers of this container are forked, and draw gradients at the pace that a variable says."""
    from wan_pipelines.studio.supervised import child, children
    from wan_pipelines.studio.supervised.nursery import open_nursery

    children.nurseries.append(open_nursery(partial(child.main, _open_engine)))


def _open_engine(studio: Any, release: str) -> Any:
    from tests.support.paced_engine import PacedEngine

    return PacedEngine(studio.release(release), float(os.environ.get(STEP_SECONDS, "0")))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), warm=WARM in sys.argv)
