"""Runs that a command line hands to Dagster's daemon, and does not wait for."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import dagster as dg

from wan_pipelines.components import tags
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.campaign_schedule import editions_of, ensure_partition
from wan_pipelines.components.launch import asked_of, check_window, next_edition
from wan_pipelines.errors import InputError
from wan_pipelines.studio.studio import Studio

HOME = "DAGSTER_HOME"
LAST_LINES = 5


def queue_campaign(
    studio: Studio, campaign: str, edition: str | None, only: list[str], workspace: Path
) -> tuple[str, str]:
    """Put a run into the queue of the instance that DAGSTER_HOME names; its id, and its edition.

    `workspace` says where the instance's code locations are. InputError when the daemon's Dagster
    cannot be had, or does not know the campaign.
    """
    brief = studio.brief(campaign)
    edition = edition or next_edition(studio, campaign, datetime.now(UTC))
    check_window(brief, edition)
    with _instance() as instance:
        ensure_partition(instance, editions_of(brief), edition)
    run, keys = str(uuid4()), CampaignKeys(brief.name)
    config = json.dumps(asked_of(keys, only))
    named = ["--run-id", run, "--tags", json.dumps({tags.PARTITION: edition})]
    target = ["--workspace", os.fspath(workspace), "--job", keys.job, "--config-json", config]
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "job", "launch", *target, *named],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        said = "\n".join(done.stderr.splitlines()[-LAST_LINES:])
        raise InputError(
            f"Dagster did not take the run: {said}",
            where=os.fspath(workspace),
            remedy="Name the workspace of the instance with --workspace.",
        )
    return run, edition


def _instance() -> dg.DagsterInstance:
    if not os.environ.get(HOME):
        raise InputError(
            f"{HOME} names no instance whose daemon would begin the run.",
            where="wan launch",
            remedy=f"Set {HOME}, or render here with `wan run`.",
        )
    return dg.DagsterInstance.get()
