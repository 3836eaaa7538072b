"""`wan render PROMPT`: one video at once."""

from typing import Annotated

import typer

from wan_pipelines.cli.campaigns import DryRun
from wan_pipelines.cli.launching import render_order
from wan_pipelines.cli.output import AsJson, examples
from wan_pipelines.cli.plans import show_plan
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.studio.prompts import PromptOrder, check_wanted, preview_prompt


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples(
            'wan render "a red ball rising on a white background"',
            'wan render "a blue box falling on a black background" --shape square --seed 7',
            'wan render "a green ball growing on a gray background" --tier standard --dry-run',
        )
    )(render)


def render(  # noqa: PLR0913, PLR0917 (a command line has as many options as it has)
    prompt: Annotated[str, typer.Argument(help="What is to be seen, at most 512 characters.")],
    negative_prompt: Annotated[str | None, typer.Option(help="What is not to be seen.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives another video.")] = 1,
    shape: Annotated[str | None, typer.Option(help="A shape that the release offers.")] = None,
    frames: Annotated[int | None, typer.Option(help="4k + 1 frames.")] = None,
    tier: Annotated[str | None, typer.Option(help="A quality tier of the release.")] = None,
    release: Annotated[str | None, typer.Option(help="A release of assets/models.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Who pays.")] = None,
    user: Annotated[str | None, typer.Option(help="Who asks.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Render one prompt through Dagster; one that was rendered before is reused."""
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
    studio = this_studio()
    plan = preview_prompt(studio, order)
    if dry_run:
        show_plan(plan, as_json=as_json)
    else:
        check_wanted(plan)
        render_order(studio, order, as_json=as_json)
