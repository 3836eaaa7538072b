"""Where the paid seconds of workers go, by the spans that they were charged."""

from benchmarks.deployment import CAMPAIGN, EDITION, deployed
from benchmarks.graph_vs_loop import run_graph
from benchmarks.results import show_and_keep
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import edition_totals

SHOTS = 100


def run() -> None:
    """One edition through the graph; its charges by kind, as shares of what was paid."""
    with deployed(SHOTS) as deployment:
        run_graph(deployment, SHOTS)
        edition = EditionKey("demo", "benchmark", CAMPAIGN, EDITION)
        totals = edition_totals(deployment.studio().ledger, edition)
    paid_seconds = totals.gpu_microseconds / 1e6
    rows = [
        {
            "kind": kind,
            "seconds": round(paid_seconds * amount / totals.cost_micro_usd, 2),
            "share": f"{amount / totals.cost_micro_usd:.1%}",
        }
        for kind, amount in totals.micro_usd_by_kind.items()
    ]
    rows.append({"kind": "all", "seconds": round(paid_seconds, 2), "share": "100%"})
    show_and_keep("worker", {f"Paid seconds of the workers of {SHOTS} shots": rows})
