"""Runs of the graph that a command line starts and waits for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from wan_pipelines.campaigns.brief import Brief
from wan_pipelines.campaigns.editions import edition_at
from wan_pipelines.components import tags
from wan_pipelines.components.campaign_keys import CampaignKeys
from wan_pipelines.components.campaign_schedule import (
    editions_of,
    ensure_partition,
    open_edition,
)
from wan_pipelines.components.prompt import PROMPT_JOB, PROMPT_OP
from wan_pipelines.errors import InputError, StorageError
from wan_pipelines.ledger.editions import latest_edition
from wan_pipelines.ledger.reports import edition_totals
from wan_pipelines.processes import process_name
from wan_pipelines.streams import stderr_to
from wan_pipelines.studio.studio import Studio
from wan_pipelines.validation import shown

LOG = "wan.log"
OUR_ERRORS = "wan_pipelines.errors."


@dataclass(frozen=True, slots=True)
class Launch:
    """A run that has ended; `problem` is empty when it succeeded."""

    run_id: str
    edition: str
    problem: str


def run_campaign(
    instance: dg.DagsterInstance,
    brief: Brief,
    edition: str,
    only: list[str] | None,
    *,
    exact: bool = False,
) -> Launch:
    """Render an edition, or the named shots of it, and wait for the end."""
    keys = CampaignKeys(brief.name)
    check_window(brief, edition)
    ensure_partition(instance, editions_of(brief), edition)
    return _execute(instance, keys.job, asked_of(keys, only or [], exact=exact), edition)


def asked_of(keys: CampaignKeys, only: list[str], *, exact: bool = False) -> dict[str, Any]:
    """The configuration of a run that renders the named shots of an edition, or all."""
    asked = {"only": only, "exact": exact}
    return {"ops": {keys.shots_op: {"config": asked}}} if only or exact else {}


def check_window(brief: Brief, edition: str) -> None:
    """InputError for an edition of a scheduled campaign with which no window begins."""
    editions = editions_of(brief)
    if isinstance(editions, dg.DynamicPartitionsDefinition) or editions.has_partition_key(edition):
        return
    raise InputError(
        f"{brief.name} has no edition {shown(edition)}: its editions begin with its schedule.",
        where="edition",
        remedy="Leave it away for the latest one; keys look like 2026-11-01-0300.",
    )


def run_prompt(instance: dg.DagsterInstance, order: Mapping[str, Any]) -> Launch:
    """Render one prompt, and wait for the end."""
    config = {"ops": {PROMPT_OP: {"config": dict(order)}}}
    return _execute(instance, PROMPT_JOB, config, "")


def next_edition(studio: Studio, campaign: str, now: datetime) -> str:
    """The edition that a launch renders: the open window of a schedule, else the latest one while
    it is not finished, else a new one that is named after the moment.
    """
    brief = studio.brief(campaign)
    editions = editions_of(brief)
    if isinstance(editions, dg.TimeWindowPartitionsDefinition):
        edition = open_edition(editions, now)
        if edition is None:
            raise InputError(
                f"no edition of {campaign} has begun yet.",
                where=f"campaign {campaign}",
                remedy="Set schedule.start to an earlier day.",
            )
        return edition
    latest = latest_edition(studio.ledger, brief.tenant, campaign)
    if latest and edition_totals(studio.ledger, latest).waiting:
        return latest.edition
    return edition_at(now, "UTC")


def _execute(
    instance: dg.DagsterInstance, job: str, config: Mapping[str, Any], edition: str
) -> Launch:
    from wan_pipelines.definitions import kept

    partition = {tags.PARTITION: edition} if edition else {}
    with (
        as_instance_errors(Path(instance.root_directory)),
        kept(),
        stderr_to(Path(instance.root_directory) / LOG),
        dg.execute_job(
            dg.build_reconstructable_job(__name__, job_named.__name__, (job,)),
            instance,
            run_config=dict(config),
            tags={**partition, tags.PROCESS: process_name()},
            raise_on_error=False,
        ) as result,
    ):
        if _was_interrupted(result):
            instance.add_run_tags(result.run_id, {tags.INTERRUPTED: result.run_id})
            raise KeyboardInterrupt
        return Launch(result.run_id, edition, _problem(result))


@contextmanager
def as_instance_errors(home: Path) -> Iterator[None]:
    """StorageError where Dagster cannot keep its own events: its disk is full, or gone."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        raise StorageError(
            f"Dagster cannot write its runs below {home}: {error.orig}. Free space there, or let "
            "WAN_PIPELINES_STATE name another folder. What was accepted is kept: run the same "
            "command again."
        ) from error


def job_named(name: str) -> dg.JobDefinition:
    """A job of this code location; the processes of a run find theirs by it."""
    from wan_pipelines.definitions import defs

    return defs().resolve_job_def(name)


def _problem(result: dg.JobExecutionResult) -> str:
    """Why the run failed: its steps' own words, else those of what kept them from running."""
    if result.success:
        return ""
    failed_steps = [event for event in result.all_events if event.is_step_failure]
    if failed_steps:
        told = (_innermost(event.step_failure_data.error) for event in failed_steps)
        return "\n".join(dict.fromkeys(told))
    return _innermost(_run_error(result))


def _was_interrupted(result: dg.JobExecutionResult) -> bool:
    """Whether somebody pressed Ctrl-C, or sent a SIGTERM: Dagster ended its steps in good order."""
    error = None if result.success else _run_error(result)
    return error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__


def _run_error(result: dg.JobExecutionResult) -> Any:
    """What ended a run that failed."""
    return result.get_run_failure_event().job_failure_data.error


def _innermost(error: Any) -> str:
    """The message of the first cause; errors of ours need no name of a class before them."""
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return "a step failed without saying why"
    name, separator, words = error.message.strip().partition(": ")
    return words if separator and name.startswith(OUR_ERRORS) else error.message.strip()
