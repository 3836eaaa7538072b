"""What a person wants to see of an asset in the UI: pictures, links, tables, figures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from wan_pipelines.encoding.renditions import PICTURES
from wan_pipelines.engines.prepare import PreparedEngine
from wan_pipelines.ledger.forecasts import ForecastOutcome
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports import EditionTotals, ShotView
from wan_pipelines.studio.artifacts import ArtifactState
from wan_pipelines.studio.costs import Statement
from wan_pipelines.studio.forecasting import PERCENT
from wan_pipelines.studio.plans import EditionPlan
from wan_pipelines.studio.shards import EditionTally
from wan_pipelines.studio.shot_view import render_seconds, state_of
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.videos import Published
from wan_pipelines.units import GIB
from wan_pipelines.weights.sources import WeightsFolder

MOST_ROWS = 200
SEPARATOR = " · "
MOST_CHARACTERS = 1000
"""The UI shows longer Markdown only on request."""
Metadata = dict[str, Any]


def weights_metadata(folder: WeightsFolder) -> Metadata:
    files = folder.manifest.files
    return {
        "revision": folder.manifest.revision,
        "files": len(files),
        "size_gib": round(sum(file.size for file in files) / GIB, 3),
        "dtype": folder.manifest.dtype,
        "licence": folder.manifest.licence or "as the release says",
        "origin": folder.manifest.origin or "as the release says",
        "folder": dg.MetadataValue.path(folder.path),
        **table("digests", [{"file": file.path, "sha256": file.sha256} for file in files]),
    }


def engine_metadata(prepared: PreparedEngine) -> Metadata:
    return {
        "digest": prepared.digest,
        "device": prepared.device,
        "threads": prepared.fingerprint.threads,
        "release_identity": prepared.release.identity,
        "weights_revision": prepared.weights.manifest.revision,
        "fingerprint": dg.MetadataValue.json(prepared.fingerprint.to_json()),
    }


def artifacts_metadata(artifacts: Sequence[ArtifactState]) -> Metadata:
    """What was compiled or found; nothing where no tier asks for it."""
    rows = [
        {
            "experts": ", ".join(artifact.experts),
            "state": artifact.state,
            "sha256": artifact.sha256,
            "size_bytes": artifact.size_bytes,
            "cpu_seconds": artifact.cpu_seconds,
            "key": artifact.key.digest,
            "why": artifact.why,
        }
        for artifact in artifacts
    ]
    return table("artifacts", rows)


def of_plan(plan: EditionPlan) -> Metadata:
    rows = [
        {
            "shot": planned.shot.name,
            "state": planned.state,
            "why": planned.why,
            "gpu_seconds": round(planned.gpu_seconds, 1),
            "prompt": planned.shot.request.prompt,
        }
        for planned in plan.shots
    ]
    return {
        "shots": len(plan.shots),
        **dict(sorted(plan.counts.items())),
        "estimated_gpu_seconds": round(plan.gpu_seconds, 3),
        "estimated_gpu_seconds_at_least": round(plan.gpu_seconds_between[0], 3),
        "estimated_gpu_seconds_at_most": round(plan.gpu_seconds_between[1], 3),
        "estimate_holds_percent": PERCENT,
        "estimated_from": plan.basis,
        "estimated_peak_memory_gib": round(plan.peak_bytes / GIB, 2),
        "estimated_cost_usd": float(usd(plan.cost_micro_usd)),
        "estimated_cost_usd_at_least": float(usd(plan.cost_between_micro_usd[0])),
        "estimated_cost_usd_at_most": float(usd(plan.cost_between_micro_usd[1])),
        "estimated_workers": plan.starts.workers,
        "estimated_wall_seconds": round(plan.starts.wall_seconds, 1),
        "over_budget": plan.over_budget,
        **table("shot_list", rows),
    }


def of_takes(tally: EditionTally) -> Metadata:
    failed = [
        {
            "shot": shot.shot,
            "stage": shot.error_stage or "",
            "error": shot.error_message or "",
            "attempts": shot.attempts,
        }
        for shot in tally.failed
    ]
    missed = [
        {"reason": reason, "videos": videos} for reason, videos in tally.artifact_misses.items()
    ]
    return {
        "shards": tally.shards,
        **_totals(tally.totals),
        "render_seconds": round(tally.render_seconds, 1),
        "artifact_hits": tally.artifact_hits,
        "artifact_misses": sum(tally.artifact_misses.values()),
        **table("failed_shots", failed),
        **table("why_not_compiled", missed),
    }


def of_videos(studio: Studio, published: Published) -> Metadata:
    return {
        "posters": dg.MetadataValue.md(f"![Posters]({studio.link(published.pages.sheet)})"),
        "page": dg.MetadataValue.url(studio.link(published.pages.page)),
        "all_editions": dg.MetadataValue.url(studio.link(published.pages.index)),
        "files": dg.MetadataValue.md(_links(studio, published)),
        **_totals(published.totals),
        "degraded": sum(shot.degraded for shot in published.shots),
        "render_seconds": round(sum(map(render_seconds, published.shots)), 3),
        **table("videos", [_video(shot) for shot in published.shots]),
    }


def of_costs(studio: Studio, statement: Statement) -> Metadata:
    totals = statement.totals
    rendered = totals.accepted - totals.reused
    paid = sum(run.paid_micro_usd for run in statement.runs)
    return {
        **_totals(totals),
        "paid_usd": float(usd(paid)),
        "wasted_usd": float(usd(totals.wasted_micro_usd)),
        "unattributed_usd": float(usd(totals.unattributed_micro_usd)),
        "superseded_usd": float(usd(totals.superseded_micro_usd)),
        "cost_per_video_usd": float(usd(round(paid / rendered))) if rendered else None,
        **_of_forecasts(statement.forecasts),
        "page": dg.MetadataValue.url(studio.link(statement.pages.page)),
        "statement": dg.MetadataValue.url(studio.link(statement.csv)),
        **table(
            "by_kind",
            [
                {"kind": kind, "cost_usd": float(usd(amount))}
                for kind, amount in totals.micro_usd_by_kind.items()
            ],
        ),
    }


def _of_forecasts(found: Sequence[ForecastOutcome]) -> Metadata:
    """How right the latest forecast of the edition was, if its shots were rendered."""
    ended = [outcome for outcome in found if outcome.ended][:1]
    return {
        key: value
        for outcome in ended
        for key, value in (
            ("forecast_gpu_seconds", round(outcome.forecast.seconds, 3)),
            ("actual_gpu_seconds", round(outcome.actual_seconds, 3)),
            ("forecast_error", round(outcome.error, 4)),
            ("forecast_held", outcome.held),
        )
    }


def accounted_check(published: Published) -> dg.AssetCheckResult:
    missing = published.unaccounted
    return dg.AssetCheckResult(
        passed=not missing,
        check_name="all_shots_accounted_for",
        severity=dg.AssetCheckSeverity.ERROR,
        description=_words(f"{s.shot}: {s.error_message or 'not rendered'}" for s in missing)
        or f"{published.totals.accepted} of {published.totals.shots} shots have a video; the "
        "others were refused with a reason.",
        metadata={"missing": len(missing)},
    )


def probe_check(published: Published) -> dg.AssetCheckResult:
    broken = published.broken
    return dg.AssetCheckResult(
        passed=not broken,
        check_name="videos_probe_well",
        severity=dg.AssetCheckSeverity.ERROR,
        description=_words(output.reason for output in broken) or "Every file is whole.",
        metadata={"broken": len(broken)},
    )


def charges_check(statement: Statement) -> dg.AssetCheckResult:
    paid = sum(run.paid_micro_usd for run in statement.runs)
    charged = sum(run.charged_micro_usd for run in statement.runs)
    return dg.AssetCheckResult(
        passed=statement.adds_up,
        check_name="charges_add_up",
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"Paid ${usd(paid)}, charged ${usd(charged)}, "
        f"{statement.open_workers} workers not settled yet.",
        metadata={"paid_micro_usd": paid, "charged_micro_usd": charged},
    )


def _totals(totals: EditionTotals) -> Metadata:
    return {
        "shots": totals.shots,
        "accepted": totals.accepted,
        "reused": totals.reused,
        "failed": totals.failed,
        "gpu_seconds": round(totals.gpu_microseconds / 1e6, 3),
        "cost_usd": float(usd(totals.cost_micro_usd)),
    }


def _video(shot: ShotView) -> Mapping[str, Any]:
    return {
        "shot": shot.shot,
        "outcome": state_of(shot),
        "gpu_seconds": round(shot.gpu_microseconds / 1e6, 3),
        "cost_usd": float(usd(shot.cost_micro_usd)),
        "render_seconds": round(render_seconds(shot), 3),
        "why": shot.error_message or shot.reason or _degraded(shot),
    }


def _degraded(shot: ShotView) -> str:
    return f"degraded: {', '.join(shot.rungs)}" if shot.degraded else ""


def _links(studio: Studio, published: Published) -> str:
    """Links to the first videos, as many as the UI shows at once."""
    links = []
    left = MOST_CHARACTERS
    for shot in published.shots:
        files = [file for file in shot.renditions if file.name not in PICTURES]
        link = " ".join(f"[{shot.shot}]({studio.link(file.key)})" for file in files[:1])
        left -= len(link) + len(SEPARATOR)
        if link and left > 0:
            links.append(link)
    return SEPARATOR.join(links) or "There are none."


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> Metadata:
    """The first rows as a table of that name, if there are any."""
    if not rows:
        return {}
    kinds = {int: "int", float: "float", bool: "bool"}
    columns = [
        dg.TableColumn(name, kinds.get(type(value), "string")) for name, value in rows[0].items()
    ]
    records = [dg.TableRecord(dict(row)) for row in rows[:MOST_ROWS]]
    return {name: dg.MetadataValue.table(records, dg.TableSchema(columns))}


def _words(reasons: Iterable[str]) -> str:
    return "\n".join(reasons)[:2000]
