"""`wan launch`: a campaign for Dagster's daemon to render, on the cluster or wherever it runs."""

from pathlib import Path
from typing import Annotated

import typer

from wan_pipelines.cli.campaigns import Campaign, Edition, Only
from wan_pipelines.cli.output import AsJson, examples, note, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.places import project_root

WORKSPACE = "workspace.yaml"
CLUSTERS = Path("/dagster-workspace") / WORKSPACE
"""Where Dagster's chart mounts the one that names its code servers."""


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples(
            "wan launch autumn",
            "wan launch autumn --edition first --only red-ball--s1",
            "kubectl exec deployment/dagster-daemon -- wan launch autumn",
        )
    )(launch)


def launch(
    campaign: Campaign,
    edition: Edition = None,
    only: Only = None,
    workspace: Annotated[
        Path | None, typer.Option(help="Where the code locations are; else the cluster's, or ours.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Put a campaign into the queue of the Dagster that DAGSTER_HOME names, and do not wait.

    `wan run` renders with processes of its own instead, and waits.
    """
    from wan_pipelines.components.queueing import queue_campaign

    chosen = workspace or (CLUSTERS if CLUSTERS.exists() else project_root() / WORKSPACE)
    run, edition = queue_campaign(this_studio(), campaign, edition, only or [], chosen)
    if as_json:
        print_json({"run_id": run, "campaign": campaign, "edition": edition})
    else:
        note(f"{campaign}/{edition} is in the queue as run {run}.")
        note("Dagster's UI, `wan workers` and `wan videos` show how it gets on.")
