"""`wan campaigns`, `plan`, `run` and `demo`."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from wan_pipelines.cli.launching import render_edition
from wan_pipelines.cli.output import AsJson, complain, emit, examples
from wan_pipelines.cli.plans import show_plan
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.what_if import show_what_if
from wan_pipelines.errors import InputError
from wan_pipelines.studio.declared_budgets import budgets_of
from wan_pipelines.studio.headroom import headroom_after
from wan_pipelines.studio.planning import check_names, preview
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.what_if import what_if

DEMO = "demo"
DEMO_EDITION = "first-light"

COLUMNS = (
    Column("campaign", "Campaign"),
    Column("title", "Title"),
    Column("tenant", "Tenant"),
    Column("release", "Release"),
    Column("tier", "Tier"),
    Column("shots", "Shots", numeric=True),
    Column("schedule", "Schedule"),
    Column("rerender", "Re-render"),
)

Campaign = Annotated[str, typer.Argument(help="Name of a folder of assets/campaigns.")]
Edition = Annotated[
    str | None, typer.Option(help="Edition; empty: the one a launch now would render.")
]
Only = Annotated[list[str] | None, typer.Option(help="Name of a shot; may be repeated.")]
Exact = Annotated[
    bool,
    typer.Option(
        "--exact", help="Render again what was drawn with less, and draw nothing with less."
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--what-if",
        metavar="NAME=VALUE,...",
        help="What would be otherwise: tier, shape, frames, gpu_class, workers, spot_share; may be "
        "repeated.",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.")]


def register(app: typer.Typer) -> None:
    app.command(epilog=examples("wan demo", "wan demo --json"))(demo)
    app.command(name="campaigns", epilog=examples("wan campaigns", "wan campaigns --json"))(
        list_campaigns
    )
    app.command(
        epilog=examples(
            "wan plan demo",
            "wan plan demo --only sunrise--square--s3",
            "wan plan catalogue --json",
            "wan plan demo --what-if tier=draft --what-if tier=draft,spot_share=0.5",
        )
    )(plan)
    app.command(
        epilog=examples(
            "wan run demo",
            "wan run demo --edition 2026-11-21 --only sunrise--square--s3",
            "wan run demo --dry-run",
            "wan run demo --exact    again what was drawn with less",
        )
    )(run)


def demo(as_json: AsJson = False) -> None:
    """Render the demo campaign through Dagster, and show where the videos are."""
    render_edition(this_studio(), DEMO, DEMO_EDITION, None, as_json=as_json)


def list_campaigns(as_json: AsJson = False) -> None:
    """List the campaigns of this deployment; one whose brief is wrong hides no other."""
    studio = this_studio()
    records: list[dict[str, Any]] = []
    wrong: list[InputError] = []
    for name in studio.campaigns():
        try:
            records.append(_record(studio, name))
        except InputError as error:
            wrong.append(error)
    emit(records, COLUMNS, as_json=as_json, empty="There are no campaigns in assets/campaigns.")
    for error in wrong:
        complain(str(error))
    if wrong:
        raise typer.Exit(1)


def _record(studio: Studio, campaign: str) -> dict[str, Any]:
    brief = studio.brief(campaign)
    return {
        "campaign": brief.name,
        "title": brief.title,
        "tenant": brief.tenant,
        "release": brief.release,
        "tier": brief.tier or studio.release(brief.release).default_tier,
        "shots": len(studio.shots(brief.name)),
        "schedule": brief.schedule.cron if brief.schedule else None,
        "time_zone": brief.schedule.time_zone if brief.schedule else None,
        "rerender": brief.rerender,
    }


def plan(
    campaign: Campaign,
    edition: Edition = None,
    only: Only = None,
    everything: Annotated[
        bool, typer.Option("--all", help="List all shots of a long plan.")
    ] = False,
    changes: Changes = None,
    as_json: AsJson = False,
) -> None:
    """Show what a launch would render, reuse and refuse, and what it would cost.

    With --what-if, side by side, what it would cost otherwise.
    """
    studio = this_studio()
    edition = _edition(studio, campaign, edition)
    if changes:
        show_what_if(what_if(studio, campaign, edition, changes, only=only), as_json=as_json)
        return
    planned = preview(studio, campaign, edition, only=only)
    brief = studio.brief(campaign)
    left = headroom_after(studio.on(brief.gpu_class), planned, budgets_of(brief))
    show_plan(planned, as_json=as_json, everything=everything, left=left)


def run(
    campaign: Campaign,
    edition: Edition = None,
    only: Only = None,
    exact: Exact = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Render an edition through Dagster; what is there already is kept."""
    studio = this_studio()
    edition = _edition(studio, campaign, edition)
    if dry_run:
        planned = preview(studio, campaign, edition, only=only, exact=exact)
        show_plan(planned, as_json=as_json)
        return
    check_names(studio.shots(campaign), only)
    render_edition(studio, campaign, edition, only, exact=exact, as_json=as_json)


def _edition(studio: Studio, campaign: str, wanted: str | None) -> str:
    """The edition that was named, if there can be one of that name; else the next one."""
    from wan_pipelines.components.launch import check_window, next_edition

    if wanted is None:
        return next_edition(studio, campaign, datetime.now(UTC))
    check_window(studio.brief(campaign), wanted)
    return wanted
