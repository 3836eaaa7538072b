"""What Dagster shows of a day's costs."""

from typing import Any

import dagster as dg

from wan_pipelines.components.metadata import table
from wan_pipelines.ledger.money import usd
from wan_pipelines.reporting.summary import SHARES, described, records, summed
from wan_pipelines.studio.cost_reports import DayReport
from wan_pipelines.studio.studio import Studio

BY = ["tenant", "campaign"]


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
