"""What people ask the ledger: typed rows from plain SQL, money in integer micro-dollars."""

from wan_pipelines.ledger.reports.cost_rows import (
    CostTotal,
    Dimension,
    RunCost,
    cost_totals,
    run_costs,
)
from wan_pipelines.ledger.reports.edition_totals import EditionTotals, edition_totals
from wan_pipelines.ledger.reports.edition_views import (
    ShotView,
    edition_shots_view,
    take_charges,
)
from wan_pipelines.ledger.reports.gauge_rows import (
    ClassGauges,
    LedgerGauges,
    TakeCount,
    ledger_gauges,
)
from wan_pipelines.ledger.reports.video_rows import (
    SHOWN,
    OutputFile,
    Video,
    files_of_shots,
    newest_files,
    output_files,
    videos,
)
from wan_pipelines.ledger.reports.worker_rows import WorkingWorker, working_workers

__all__ = [
    "SHOWN",
    "ClassGauges",
    "CostTotal",
    "Dimension",
    "EditionTotals",
    "LedgerGauges",
    "OutputFile",
    "RunCost",
    "ShotView",
    "TakeCount",
    "Video",
    "WorkingWorker",
    "cost_totals",
    "edition_shots_view",
    "edition_totals",
    "files_of_shots",
    "ledger_gauges",
    "newest_files",
    "output_files",
    "run_costs",
    "take_charges",
    "videos",
    "working_workers",
]
