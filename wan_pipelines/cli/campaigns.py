"""`wan campaigns`, `plan`, `run` and `demo`."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from wan_pipelines.cli.launching import follow
from wan_pipelines.cli.output import AsJson, Column, console, emit, note, print_json
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.ledger.money import usd
from wan_pipelines.studio.planning import preview
from wan_pipelines.studio.plans import Plan, PlannedShot

DEMO = "demo"
DEMO_EDITION = "first-light"

Campaign = Annotated[str, typer.Argument(help="Name of a folder of assets/campaigns.")]
Edition = Annotated[
    str | None, typer.Option(help="Edition; empty: the one a launch now would render.")
]
Only = Annotated[list[str] | None, typer.Option(help="Name of a shot; may be repeated.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.")]


def register(app: typer.Typer) -> None:
    app.command()(demo)
    app.command(name="campaigns")(list_campaigns)
    app.command()(plan)
    app.command()(run)


def demo() -> None:
    """Render the demo campaign through Dagster, and show where the videos are."""
    follow(this_studio(), DEMO, DEMO_EDITION, None)


def list_campaigns(as_json: AsJson = False) -> None:
    """List the campaigns of this deployment."""
    studio = this_studio()
    records = [
        {
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
        for brief in studio.briefs().values()
    ]
    columns = (
        Column("campaign", "Campaign"),
        Column("title", "Title"),
        Column("tenant", "Tenant"),
        Column("release", "Release"),
        Column("tier", "Tier"),
        Column("shots", "Shots", numeric=True),
        Column("schedule", "Schedule"),
        Column("rerender", "Re-render"),
    )
    emit(records, columns, as_json=as_json, empty="There are no campaigns in assets/campaigns.")


def plan(
    campaign: Campaign, edition: Edition = None, only: Only = None, as_json: AsJson = False
) -> None:
    """Show what a launch would render, reuse and refuse, and what it would cost."""
    studio = this_studio()
    show_plan(preview(studio, campaign, edition or _next(campaign), only=only), as_json=as_json)


def run(
    campaign: Campaign,
    edition: Edition = None,
    only: Only = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Render an edition through Dagster; what is there already is kept."""
    studio = this_studio()
    edition = edition or _next(campaign)
    if dry_run:
        show_plan(preview(studio, campaign, edition, only=only), as_json=as_json)
        return
    follow(studio, campaign, edition, only, as_json=as_json)


def show_plan(planned: Plan, *, as_json: bool) -> None:
    """A plan, shot by shot, with its totals."""
    if as_json:
        print_json({**_totals(planned), "plan": [_record(shot) for shot in planned.shots]})
        return
    columns = (
        Column("shot", "Shot"),
        Column("state", "Would be"),
        Column("gpu_seconds", "GPU-s", numeric=True),
        Column("cost_usd", "USD", numeric=True),
        Column("reason", "Why"),
    )
    records = [_record(shot) for shot in planned.shots]
    emit(records, columns, as_json=False, empty="There is nothing to render.")
    totals = _totals(planned)
    counts = ", ".join(f"{number} {state}" for state, number in totals["counts"].items())
    console().print(
        f"\n{totals['campaign']}/{totals['edition']}: {counts}. "
        f"About {totals['gpu_seconds']} GPU-seconds, ${totals['cost_usd']}."
    )
    if planned.over_budget:
        note(f"This is more than the budget of ${totals['budget_usd']}.")


def _record(planned: PlannedShot) -> dict[str, Any]:
    request = planned.shot.request
    return {
        "shot": planned.shot.name,
        "state": planned.state,
        "reason": planned.why or None,
        "may_run_at": planned.may_run_at,
        "gpu_seconds": round(planned.gpu_seconds, 1),
        "cost_usd": usd(planned.cost_micro_usd),
        "prompt": request.prompt,
        "seed": request.seed,
        "width": request.width,
        "height": request.height,
        "frames": request.frames,
        "tier": planned.shot.tier,
        "render_key": planned.shot.render_key,
    }


def _totals(planned: Plan) -> dict[str, Any]:
    return {
        "campaign": planned.edition.campaign,
        "edition": planned.edition.edition,
        "tenant": planned.edition.tenant,
        "counts": dict(planned.counts),
        "gpu_seconds": round(planned.gpu_seconds, 1),
        "cost_usd": usd(planned.cost_micro_usd),
        "budget_usd": None if planned.budget_micro_usd is None else usd(planned.budget_micro_usd),
    }


def _next(campaign: str) -> str:
    from wan_pipelines.components.launch import next_edition

    return next_edition(this_studio(), campaign, datetime.now(UTC))
