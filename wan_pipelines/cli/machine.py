"""`wan doctor` and `wan dev`: the machine, and the user interface on it."""

import os
import socket
import subprocess
import sys
from dataclasses import asdict
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.text import Text

from wan_pipelines.cli.output import AsJson, console, examples, note, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.errors import InputError
from wan_pipelines.places import environment_name, project_root, state_folder
from wan_pipelines.storage import FolderStore
from wan_pipelines.studio.findings import Finding

MARKS = {"ok": ("✓", "green"), "notice": ("!", "yellow"), "problem": ("✗", "red")}
LOOPBACK = "127.0.0.1"


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("wan doctor", "wan doctor --json"))(doctor)
    app.command(epilog=examples("wan dev", "wan dev --port 3001"))(dev)


def doctor(as_json: AsJson = False) -> None:
    """Look this machine over and say what to do; ends with 1 if something keeps it from working."""
    from wan_pipelines.studio.doctor import examine

    findings: list[Finding] = []
    for finding in examine(project_root(), state_folder(), environment_name()):
        findings.append(finding)
        if not as_json:
            words = f" {finding.check}: {finding.message} {finding.remedy}".rstrip()
            console().print(Text.assemble(MARKS[finding.state], words), soft_wrap=True)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(1)


def dev(port: Annotated[int, typer.Option(help="Port of Dagster's UI.")] = 3000) -> None:
    """Run Dagster's UI with schedules and sensors, and serve the videos it links to."""
    from wan_pipelines.components.instance import dagster_home
    from wan_pipelines.pages.server import serve_gallery

    studio = this_studio()
    if not isinstance(studio.store, FolderStore) or studio.settings.links is None:
        raise InputError(
            "this environment keeps its videos elsewhere, or says not where to link to them.",
            where=f"resources/{studio.settings.name}/defs.yaml",
            remedy="Set `store` to a folder and `links` to http://127.0.0.1:3070.",
        )
    gallery_port = urlsplit(studio.settings.links).port or 80
    _check_free(port, "Choose another with --port.")
    _check_free(gallery_port, "Change `links` of the environment.")
    note(f"Dagster: http://{LOOPBACK}:{port}   videos: {studio.settings.links}")
    workspace = project_root() / "workspace.yaml"
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(workspace)]
    environment = {**os.environ, "DAGSTER_HOME": str(dagster_home(studio.state))}
    dagster = subprocess.Popen(
        [*command, "-h", LOOPBACK, "-p", str(port)], env=environment, cwd=project_root()
    )
    try:
        serve_gallery(studio.store.root, gallery_port)
    finally:
        dagster.terminate()
        dagster.wait()


def _check_free(port: int, remedy: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if probe.connect_ex((LOOPBACK, port)) == 0:
            raise InputError(f"port {port} is in use.", where="wan dev", remedy=remedy)
