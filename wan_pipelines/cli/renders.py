"""`wan render PROMPT`: one video at once."""

import time
from dataclasses import asdict
from typing import Annotated

import typer

from wan_pipelines import step_server
from wan_pipelines.cli.campaigns import DryRun, show_plan
from wan_pipelines.cli.launching import log_of, progress, report
from wan_pipelines.cli.output import AsJson
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.studio.prompts import PromptOrder, edition_of, preview_prompt, shot_of


def register(app: typer.Typer) -> None:
    app.command()(render)


def render(  # noqa: PLR0913, PLR0917 (a command line has as many options as it has)
    prompt: Annotated[str, typer.Argument(help="What is to be seen, at most 512 characters.")],
    negative_prompt: Annotated[str | None, typer.Option(help="What is not to be seen.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives another video.")] = 1,
    shape: Annotated[str | None, typer.Option(help="A shape that the release offers.")] = None,
    frames: Annotated[int | None, typer.Option(help="4k + 1 frames.")] = None,
    tier: Annotated[str | None, typer.Option(help="A quality tier of the release.")] = None,
    release: Annotated[str, typer.Option(help="A release of assets/models.")] = "wan-tiny",
    tenant: Annotated[str, typer.Option(help="Who pays.")] = "demo",
    user: Annotated[str, typer.Option(help="Who asks.")] = "demo",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Render one prompt through Dagster; one that was rendered before is reused."""
    studio = this_studio()
    order = PromptOrder(
        prompt=prompt,
        negative_prompt=negative_prompt,
        seed=seed,
        shape=shape,
        frames=frames,
        tier=tier,
        release=release,
        tenant=tenant,
        user=user,
    )
    if dry_run:
        show_plan(preview_prompt(studio, order), as_json=as_json)
        return
    key = edition_of(order, shot_of(studio, order))
    started = time.monotonic()
    step_server.start(studio.settings.rendering_class.device, log_of(studio))
    from wan_pipelines.components.launch import open_instance, run_prompt

    with open_instance(studio.state) as instance, progress(studio, key):
        launch = run_prompt(instance, asdict(order))
    report(studio, key, launch.run_id, launch.problem, time.monotonic() - started, as_json)
