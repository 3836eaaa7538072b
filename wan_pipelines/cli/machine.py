"""`wan doctor` and `wan dev`: the machine, and the user interface on it."""

import os
import subprocess
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from wan_pipelines.cli.output import AsJson, console, note, print_json
from wan_pipelines.places import environment_name, project_root, state_folder

MARKS = {"ok": "[green]✓[/]", "notice": "[yellow]![/]", "problem": "[red]✗[/]"}


def register(app: typer.Typer) -> None:
    app.command()(doctor)
    app.command()(dev)


def doctor(as_json: AsJson = False) -> None:
    """Look this machine over and say what to do."""
    from wan_pipelines.studio.doctor import examine

    findings = []
    for finding in examine(project_root(), state_folder(), environment_name()):
        findings.append(finding)
        if not as_json:
            console().print(f"{MARKS[finding.state]} {finding.check}: ", end="")
            console().print(" ".join((finding.message, finding.remedy)).strip(), markup=False)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(1)


def dev(
    port: Annotated[int, typer.Option(help="Port of Dagster's UI.")] = 3000,
    gallery_port: Annotated[int, typer.Option(help="Port of the videos' pages.")] = 3070,
) -> None:
    """Dagster's UI with schedules and sensors, and the videos it links to."""
    from wan_pipelines.components.launch import open_instance
    from wan_pipelines.pages.server import serve_gallery

    state = state_folder()
    open_instance(state).dispose()
    store = state / "store"
    store.mkdir(parents=True, exist_ok=True)
    note(f"Dagster: http://127.0.0.1:{port}   videos: http://127.0.0.1:{gallery_port}")
    workspace = project_root() / "workspace.yaml"
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(workspace)]
    environment = {**os.environ, "DAGSTER_HOME": str(state / "dagster")}
    dagster = subprocess.Popen(
        [*command, "-h", "127.0.0.1", "-p", str(port)], env=environment, cwd=project_root()
    )
    try:
        serve_gallery(store, gallery_port)
    finally:
        dagster.terminate()
        dagster.wait()
