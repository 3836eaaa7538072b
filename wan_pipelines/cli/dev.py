"""`wan dev`: Dagster's user interface on this machine, and the videos that it links to."""

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from wan_pipelines.cli.output import examples, note
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.errors import InputError
from wan_pipelines.places import project_root
from wan_pipelines.processes import living_in
from wan_pipelines.rendering.signals import stop_on_signals
from wan_pipelines.storage import FolderStore
from wan_pipelines.studio.studio import Studio

if TYPE_CHECKING:
    from starlette.applications import Starlette

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.2
ORDERLY_SECONDS = 30


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("wan dev", "wan dev --port 3001"))(dev)


def dev(port: Annotated[int, typer.Option(help="Port of Dagster's UI.")] = 3000) -> None:
    """Run Dagster's UI with schedules and sensors, and serve the videos it links to."""
    from wan_pipelines.pages.server import serving

    studio = this_studio()
    app, gallery_port = _gallery_of(studio)
    _bound(port, "Choose another with --port.").close()
    with (
        _bound(gallery_port, "Change `links` of the environment.") as gallery,
        stop_on_signals(Event(), more=[signal.SIGHUP]) as stop,
        serving(app, gallery),
        dagster_dev(studio, port) as dagster,
    ):
        note(f"Dagster: http://{LOOPBACK}:{port}   videos: {studio.settings.links}")
        while dagster.poll() is None and not stop.wait(POLL_SECONDS):
            pass
    if not stop.is_set():
        raise typer.Exit(dagster.returncode or 1)


@contextmanager
def dagster_dev(studio: Studio, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`dagster dev`, with all its processes: when the block ends they are told to end as well.

    They are a session of their own, so that a Ctrl-C in the terminal reaches them once, from here.
    """
    from wan_pipelines.components.instance import open_instance

    state = studio.state
    open_instance(state, studio.settings.dagster_storage).dispose()
    workspace = os.fspath(project_root() / "workspace.yaml")
    command = [sys.executable, "-m", "dagster", "dev", "-w", workspace]
    process = subprocess.Popen(
        [*command, "-h", LOOPBACK, "-p", str(port)],
        env={**os.environ, "DAGSTER_HOME": os.fspath(state / "dagster")},
        cwd=project_root(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end_group(process.pid)
        process.wait()


def _end_group(group: int) -> None:
    """Ctrl-C for all at once: workers give their shots back, then Dagster's services end.

    What has not ended in good order after a while is killed.
    """
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGINT)
    deadline = monotonic() + ORDERLY_SECONDS
    while living_in(group) and monotonic() < deadline:
        sleep(POLL_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _gallery_of(studio: Studio) -> tuple["Starlette", int]:
    """What shows the store, and the port to which the environment links."""
    from wan_pipelines.pages.server import bucket_gallery, gallery

    store, settings = studio.store, studio.settings
    if settings.links is None:
        raise InputError(
            "this environment does not say where to link to its videos.",
            where=f"resources/{settings.name}/defs.yaml",
            remedy="Set `links` to http://127.0.0.1:3070.",
        )
    port = urlsplit(settings.links).port or 80
    if isinstance(store, FolderStore):
        return gallery(store.root), port
    return bucket_gallery(store, sorted(settings.tenants)), port


def _bound(port: int, remedy: str) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        what = "is in use" if taken else f"cannot be had: {error.strerror}"
        raise InputError(f"port {port} {what}.", where="wan dev", remedy=remedy) from error
