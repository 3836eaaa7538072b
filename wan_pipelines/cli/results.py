"""`wan videos` and `wan costs`: what was made, and for how much."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from wan_pipelines.cli.output import AsJson, console, emit, examples
from wan_pipelines.cli.studios import this_studio
from wan_pipelines.cli.tables import Column
from wan_pipelines.cli.tenants import AllTenants, TenantName, asked
from wan_pipelines.ledger.moments import seconds_of
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports import (
    CostTotal,
    Dimension,
    RunCost,
    Video,
    cost_totals,
    run_costs,
)
from wan_pipelines.ledger.reports import videos as list_of_videos
from wan_pipelines.ledger.whose import Asked
from wan_pipelines.studio.studio import Studio

Campaign = Annotated[str | None, typer.Option(help="Only of this campaign.")]
Edition = Annotated[str | None, typer.Option(help="Only of this edition.")]
Run = Annotated[str | None, typer.Option(help="Only of this run.")]
Degraded = Annotated[
    bool, typer.Option("--degraded", help="Only those drawn with less than was asked for.")
]
By = Annotated[Dimension | None, typer.Option(help="Sum charges by this instead of by run.")]

VIDEO_COLUMNS = (
    Column("campaign", "Campaign"),
    Column("edition", "Edition"),
    Column("shot", "Shot"),
    Column("size", "Size"),
    Column("gpu_seconds", "GPU-s", numeric=True),
    Column("cost_usd", "USD", numeric=True),
    Column("uri", "File", beneath=True),
)
MARK = Column("mark", "Degraded")
RUN_COLUMNS = (
    Column("run_id", "Run"),
    Column("started_at", "Started (UTC)"),
    Column("accepted_takes", "Videos", numeric=True),
    Column("gpu_seconds", "GPU-s", numeric=True),
    Column("paid_usd", "Paid USD", numeric=True),
    Column("charged_usd", "Charged USD", numeric=True),
    Column("wasted_usd", "Wasted USD", numeric=True),
)
TOTAL_COLUMNS = (
    Column("takes", "Takes", numeric=True),
    Column("accepted_takes", "Videos", numeric=True),
    Column("gpu_seconds", "GPU-s", numeric=True),
    Column("charged_usd", "Charged USD", numeric=True),
    Column("wasted_usd", "Wasted USD", numeric=True),
)


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples(
            "wan videos",
            "wan videos --campaign demo --edition first-light",
            "wan videos --degraded    drawn with less than was asked for",
            "wan videos --json | jq -r '.[].uri'",
        )
    )(videos)
    app.command(
        epilog=examples(
            "wan costs",
            "wan costs --by campaign",
            "wan costs --by tenant --all-tenants",
            "wan costs --by kind --tenant demo    load, text, denoise, decode, wait, idle",
            "wan costs --json",
        )
    )(costs)


def videos(
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    campaign: Campaign = None,
    edition: Edition = None,
    degraded: Degraded = False,
    as_json: AsJson = False,
) -> None:
    """List the videos with what each of them cost."""
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    found = list_of_videos(studio.ledger, whose, campaign, edition)
    records = [_video(video) for video in found if video.degraded or not degraded]
    columns = VIDEO_COLUMNS
    if not as_json:
        records = [{**record, "size": _size(record), "mark": _mark(record)} for record in records]
        if any(record["mark"] for record in records):
            columns = (*VIDEO_COLUMNS[:-1], MARK, VIDEO_COLUMNS[-1])
    nothing = "There are no videos yet: `wan demo` makes some."
    if tenant or campaign or edition or degraded:
        nothing = "There are no such videos."
    emit(records, columns, as_json=as_json, empty=nothing)


def costs(
    tenant: TenantName = None,
    all_tenants: AllTenants = False,
    campaign: Campaign = None,
    run: Run = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Show what runs were paid and charged; the two are equal once their workers have ended."""
    if run and (by or campaign):
        raise typer.BadParameter("a run's costs are not summed up further", param_hint="--run")
    studio = this_studio()
    whose = asked(studio, tenant, all_tenants=all_tenants)
    if by or campaign:
        _show_totals(studio, by or "edition", whose, campaign, as_json=as_json)
    else:
        nothing = "There is no such run." if run or tenant else "Nothing has been paid for yet."
        _show_runs(run_costs(studio.ledger, whose, run_id=run), nothing, as_json=as_json)


def _show_runs(found: Sequence[RunCost], nothing: str, *, as_json: bool) -> None:
    emit([_run(cost) for cost in found], RUN_COLUMNS, as_json=as_json, empty=nothing)
    if found and not as_json:
        paid = sum(cost.paid_micro_usd for cost in found)
        charged = sum(cost.charged_micro_usd for cost in found)
        console().print(f"\nPaid ${usd(paid)}, charged ${usd(charged)}.")


def _show_totals(
    studio: Studio, by: Dimension, whose: Asked, campaign: str | None, *, as_json: bool
) -> None:
    found = cost_totals(studio.ledger, by, whose, campaign=campaign)
    columns = (Column(by, by.replace("_", " ").capitalize()), *TOTAL_COLUMNS)
    records = [_total(by, total) for total in found]
    emit(records, columns, as_json=as_json, empty="Nothing has been charged yet.")
    if found and not as_json:
        console().print(f"\nCharged ${usd(sum(total.micro_usd for total in found))}.")


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
        "tier": video.drawn_tier,
        "requested": {"release": video.requested_release, "tier": video.tier},
        "rungs": list(video.rungs),
        "degraded": video.degraded,
        "uri": video.uri,
        "sha256": video.sha256,
        "width": video.width,
        "height": video.height,
        "frames": video.frames,
        "fps": video.fps,
        "duration_seconds": video.duration_seconds,
        "poster_uri": video.poster_uri,
        "gpu_seconds": seconds_of(video.gpu_microseconds),
        "cost_usd": usd(video.cost_micro_usd),
        "cost_micro_usd": video.cost_micro_usd,
        "reused": video.reused,
        "take_id": video.take_id,
        "render_key": video.render_key,
        "run_id": video.run_id,
        "created_at": video.created_at,
    }


def _size(record: dict[str, Any]) -> str:
    return f"{record['width']}x{record['height']}x{record['frames']}"


def _mark(record: dict[str, Any]) -> str:
    """The rungs on which something else was drawn than was asked for."""
    return ", ".join(record["rungs"]) if record["degraded"] else ""


def _run(cost: RunCost) -> dict[str, Any]:
    return {
        "run_id": cost.run_id,
        "tenant": cost.tenant,
        "started_at": cost.started_at,
        "workers": cost.workers,
        "open_workers": cost.open_workers,
        "takes": cost.takes,
        "accepted_takes": cost.accepted_takes,
        "gpu_seconds": seconds_of(cost.gpu_microseconds),
        "paid_micro_usd": cost.paid_micro_usd,
        "charged_micro_usd": cost.charged_micro_usd,
        "unattributed_micro_usd": cost.unattributed_micro_usd,
        "wasted_micro_usd": cost.wasted_micro_usd,
        "micro_usd_by_kind": dict(cost.micro_usd_by_kind),
        "paid_usd": usd(cost.paid_micro_usd),
        "charged_usd": usd(cost.charged_micro_usd),
        "wasted_usd": usd(cost.wasted_micro_usd),
    }


def _total(by: Dimension, total: CostTotal) -> dict[str, Any]:
    return {
        by: total.value,
        "takes": total.takes,
        "accepted_takes": total.accepted_takes,
        "gpu_seconds": seconds_of(total.gpu_microseconds),
        "charged_micro_usd": total.micro_usd,
        "wasted_micro_usd": total.wasted_micro_usd,
        "charged_usd": usd(total.micro_usd),
        "wasted_usd": usd(total.wasted_micro_usd),
    }
