"""`wan doctor`: is this machine ready?"""

from dataclasses import asdict

import typer
from rich.text import Text

from wan_pipelines.cli.output import AsJson, console, examples, print_json
from wan_pipelines.places import environment_name, project_root, state_folder
from wan_pipelines.studio.findings import Finding

MARKS = {"ok": ("✓", "green"), "notice": ("!", "yellow"), "problem": ("✗", "red")}


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("wan doctor", "wan doctor --json"))(doctor)


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
