"""`wan videos`, `costs` and `lineage`: what was made, for how much, and from what."""

from typing import Annotated, Any

import typer

from wan_pipelines.cli.output import AsJson, Column, emit
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports import RunCost, Video, run_costs
from wan_pipelines.ledger.reports import videos as list_of_videos

TenantOption = Annotated[str | None, typer.Option("--tenant", help="Only of this tenant.")]
CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Only of this campaign.")]
EditionOption = Annotated[str | None, typer.Option("--edition", help="Only of this edition.")]


def register(app: typer.Typer) -> None:
    app.command()(videos)
    app.command()(costs)


def videos(
    tenant: TenantOption = None,
    campaign: CampaignOption = None,
    edition: EditionOption = None,
    as_json: AsJson = False,
) -> None:
    """List the videos with what each of them cost."""
    found = list_of_videos(this_studio().ledger, tenant, campaign, edition)
    columns = (
        Column("campaign", "Campaign"),
        Column("edition", "Edition"),
        Column("shot", "Shot"),
        Column("size", "Size"),
        Column("gpu_seconds", "GPU-s", numeric=True),
        Column("cost_usd", "USD", numeric=True),
        Column("uri", "File"),
    )
    records = [_video(video) for video in found]
    if not as_json:
        records = [{**r, "size": f"{r['width']}x{r['height']}x{r['frames']}"} for r in records]
    emit(records, columns, as_json=as_json, empty="There are no videos yet: `wan demo` makes some.")


def costs(
    tenant: TenantOption = None,
    run: Annotated[str | None, typer.Option("--run", help="Only of this run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what each run was paid and charged; the two are equal once its workers have ended."""
    found = run_costs(this_studio().ledger, tenant, run_id=run)
    columns = (
        Column("run_id", "Run"),
        Column("started_at", "Started"),
        Column("accepted_takes", "Videos", numeric=True),
        Column("gpu_seconds", "GPU-s", numeric=True),
        Column("paid_usd", "Paid USD", numeric=True),
        Column("charged_usd", "Charged USD", numeric=True),
        Column("wasted_usd", "Wasted USD", numeric=True),
    )
    records = [_run(cost) for cost in found]
    emit(records, columns, as_json=as_json, empty="Nothing has been paid for yet.")


def _video(video: Video) -> dict[str, Any]:
    return {
        "shot": video.shot,
        "campaign": video.campaign,
        "edition": video.edition,
        "tenant": video.tenant,
        "user": video.user,
        "prompt": video.prompt,
        "seed": video.seed,
        "release": video.release,
        "tier": video.tier,
        "uri": video.uri,
        "sha256": video.sha256,
        "width": video.width,
        "height": video.height,
        "frames": video.frames,
        "fps": video.fps,
        "duration_seconds": video.duration_seconds,
        "poster_uri": video.poster_uri,
        "gpu_seconds": video.gpu_microseconds / 1e6,
        "cost_usd": usd(video.cost_micro_usd),
        "cost_micro_usd": video.cost_micro_usd,
        "reused": video.reused,
        "take_id": video.take_id,
        "render_key": video.render_key,
        "run_id": video.run_id,
        "created_at": video.created_at,
    }


def _run(cost: RunCost) -> dict[str, Any]:
    return {
        "run_id": cost.run_id,
        "tenant": cost.tenant,
        "started_at": cost.started_at,
        "workers": cost.workers,
        "open_workers": cost.open_workers,
        "takes": cost.takes,
        "accepted_takes": cost.accepted_takes,
        "gpu_seconds": cost.gpu_microseconds / 1e6,
        "paid_micro_usd": cost.paid_micro_usd,
        "charged_micro_usd": cost.charged_micro_usd,
        "unattributed_micro_usd": cost.unattributed_micro_usd,
        "wasted_micro_usd": cost.wasted_micro_usd,
        "micro_usd_by_kind": dict(cost.micro_usd_by_kind),
        "paid_usd": usd(cost.paid_micro_usd),
        "charged_usd": usd(cost.charged_micro_usd),
        "wasted_usd": usd(cost.wasted_micro_usd),
    }
