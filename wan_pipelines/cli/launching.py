"""Runs of the graph that a command starts, waits for, and reports on."""

import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wan_pipelines import step_server
from wan_pipelines.cli.output import note
from wan_pipelines.cli.progress import progress
from wan_pipelines.cli.summary import Ending, report
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.studio.editions import edition_key
from wan_pipelines.studio.prompts import PromptOrder, edition_of, shot_of
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.watch import is_complete

if TYPE_CHECKING:
    from wan_pipelines.components.launch import Launch


def render_edition(
    studio: Studio,
    campaign: str,
    edition: str,
    only: list[str] | None,
    *,
    exact: bool = False,
    as_json: bool = False,
) -> None:
    """Render an edition, or the named shots of it; starts nothing when nothing would change.

    With `exact` also what was drawn with less than was asked for.
    """

    def run(instance: Any) -> "Launch":
        from wan_pipelines.components.launch import run_campaign

        return run_campaign(instance, studio.brief(campaign), edition, only, exact=exact)

    started = time.monotonic()
    key = edition_key(studio, campaign, edition)
    if only is None and not exact and is_complete(studio, key, datetime.now(UTC)):
        note("Nothing has changed: every video is there, and whole.")
        report(studio, Ending(edition=key, seconds=time.monotonic() - started), as_json=as_json)
    else:
        _launch(studio, key, run, only, as_json=as_json)


def render_order(studio: Studio, order: PromptOrder, *, as_json: bool = False) -> None:
    """Render one prompt."""

    def run(instance: Any) -> "Launch":
        from wan_pipelines.components.launch import run_prompt

        return run_prompt(instance, asdict(order))

    _launch(studio, edition_of(studio, order, shot_of(studio, order)), run, None, as_json=as_json)


def _launch(
    studio: Studio,
    edition: EditionKey,
    run: Callable[[Any], "Launch"],
    only: Collection[str] | None,
    *,
    as_json: bool,
) -> None:
    _check_machine(studio)
    started = time.monotonic()
    # Dagster takes a second to import: meanwhile the server imports what the steps need.
    step_server.start(studio.settings.rendering_class.device, studio.state / "dagster" / "wan.log")
    from wan_pipelines.components.instance import open_instance

    storage = studio.settings.dagster_storage
    with open_instance(studio.state, storage) as instance, progress(studio, edition):
        launch = run(instance)
    ending = Ending(
        edition=edition,
        only=only,
        run_id=launch.run_id,
        problem=launch.problem,
        seconds=time.monotonic() - started,
    )
    report(studio, ending, as_json=as_json)


def _check_machine(studio: Studio) -> None:
    """InputError where steps are no processes of this machine."""
    settings = studio.settings
    if settings.kubernetes:
        raise InputError(
            "runs of this environment are pods of a cluster, which this command cannot start.",
            where=f"resources/{settings.name}/defs.yaml, kubernetes",
            remedy="Queue it with `wan launch`, or in Dagster's UI.",
        )
