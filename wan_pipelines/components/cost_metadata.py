"""What Dagster shows of a day's costs."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from wan_pipelines.components.metadata import table
from wan_pipelines.ledger.money import usd
from wan_pipelines.reporting.summary import SHARES, described, records, summed
from wan_pipelines.studio.cost_reports import DayReport
from wan_pipelines.studio.cost_targets import TargetVerdict
from wan_pipelines.studio.studio import Studio

BY = ["tenant", "campaign"]
TARGETS_MET = "cost_targets_met"


def of_day(studio: Studio, report: DayReport, page: str) -> dict[str, Any]:
    """Figures, links, and the dearest campaigns."""
    total = records(described(summed(report.frame, [])))[0]
    by_campaign = described(summed(report.frame, BY))
    rows = [
        {**{name: row[name] for name in BY}, "videos": int(row["videos"]), "usd": float(row["usd"])}
        for row in records(by_campaign)
    ]
    videos = int(total["videos"])
    return {
        "takes": int(total["takes"]),
        "videos": videos,
        "cost_usd": float(total["usd"]),
        "gpu_hours": round(float(total["gpu_hours"]), 4),
        "usd_per_1000": round(float(total["usd_per_1000"]), 6) if videos else None,
        "gpu_hours_per_1000": round(float(total["gpu_hours_per_1000"]), 4) if videos else None,
        **{share: round(float(total[share]), 4) for share in SHARES},
        "changed_usd": float(usd(report.changed_micro_usd)),
        "page": dg.MetadataValue.url(studio.link(page)),
        "csv": dg.MetadataValue.url(studio.link(report.csv)),
        "parquet": dg.MetadataValue.url(studio.link(report.parquet)),
        **table("by_campaign", rows),
    }


def adds_up_check(report: DayReport, name: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=report.micro_usd == report.posted_micro_usd,
        check_name=name,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"The report comes to ${usd(report.micro_usd)}, the ledger's postings of the "
        f"day to ${usd(report.posted_micro_usd)}.",
        metadata={
            "reported_micro_usd": report.micro_usd,
            "posted_micro_usd": report.posted_micro_usd,
        },
    )


def targets_check(
    studio: Studio, verdicts: Sequence[TargetVerdict], report: str | None
) -> dg.AssetCheckResult:
    """A warning where videos cost more than they may; the report says what would have met it."""
    told = [_words(verdict) for verdict in verdicts]
    shares = {f"within: {v.target.name}": v.within / v.videos for v in verdicts if v.videos}
    link = {"report": dg.MetadataValue.url(studio.link(report))} if report else {}
    return dg.AssetCheckResult(
        passed=report is None,
        check_name=TARGETS_MET,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(told) or "No target says what such videos may cost.",
        metadata={**shares, **link},
    )


def _words(verdict: TargetVerdict) -> str:
    each, name = verdict.each_micro_usd, verdict.target.name
    allowed = f"the target is ${usd(verdict.target_micro_usd)}"
    if each is None:
        return f"{name}: ${usd(verdict.paid_micro_usd)} was paid and no video accepted; {allowed}."
    return (
        f"{name}: ${usd(each)} a video, {allowed}; {verdict.within} of {verdict.videos} videos "
        "are within it by themselves."
    )
