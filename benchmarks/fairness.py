"""Orders of shards compared in the simulator: the tables and the picture of docs/fairness.md."""

from collections.abc import Sequence
from statistics import mean
from time import process_time
from typing import Any

from benchmarks.fairness_picture import draw
from benchmarks.places import PROJECT
from benchmarks.results import Row, show_and_keep
from wan_pipelines.scheduling.policy import FairShare, Policy
from wan_pipelines.scheduling.records import PRIORITY_CLASSES
from wan_pipelines.scheduling.settings import Scheduling
from wan_pipelines.scheduling.simulation.cluster import Cluster
from wan_pipelines.scheduling.simulation.comparing import compare, policies_of
from wan_pipelines.scheduling.simulation.figures import Figures
from wan_pipelines.scheduling.simulation.scenario import Scenario
from wan_pipelines.scheduling.simulation.workload import campaigns_of

PICTURE = PROJECT / "docs" / "fairness.svg"
VARIANTS: dict[str, dict[str, float]] = {
    "as shipped": {},
    "half-life 15 min": {"half_life_hours": 0.25},
    "half-life 4 h": {"half_life_hours": 4},
    "half-life 24 h": {"half_life_hours": 24},
    "ageing 5 min": {"ageing_minutes": 5},
    "ageing 60 min": {"ageing_minutes": 60},
    "ageing never": {"ageing_minutes": 1e9},
    "safety 1": {"deadline_safety": 1},
    "safety 4": {"deadline_safety": 4},
}


def run(days: int) -> None:
    """`days` is how many scenarios, which differ by their seed, the figures are the means of."""
    scenarios = [Scenario(seed=seed) for seed in range(1, days + 1)]
    tables = {
        f"Policies: means of {days} days": [
            _row(scenarios, name) for name in policies_of(Scenario())
        ],
        "Settings of fair": [_variant(scenarios[:3], name, how) for name, how in VARIANTS.items()],
    }
    show_and_keep("fairness", tables)
    campaigns = campaigns_of(scenarios[0])
    held = {
        name: Cluster(scenarios[0], campaigns, policy).run().stints
        for name, policy in policies_of(scenarios[0]).items()
        if name in ("fifo", "priority", "fair")
    }
    PICTURE.write_text(draw(scenarios[0], held))


def _row(scenarios: Sequence[Scenario], name: str) -> Row:
    return _measured([(scenario, policies_of(scenario)[name]) for scenario in scenarios], name)


def _variant(scenarios: Sequence[Scenario], name: str, how: dict[str, Any]) -> Row:
    settings = Scheduling(**how)
    changed = [each.model_copy(update={"scheduling": settings}) for each in scenarios]
    return _measured([(scenario, FairShare(settings)) for scenario in changed], name)


def _measured(cases: Sequence[tuple[Scenario, Policy]], name: str) -> Row:
    began = process_time()
    figures = [compare(scenario, [policy])[0] for scenario, policy in cases]
    seconds = (process_time() - began) / len(cases)
    missed = mean(each.deadlines_missed / each.deadlines for each in figures)
    return {
        "policy": name,
        "jain": f"{mean(each.jain or 1 for each in figures):.3f}",
        **{f"{tenant}_worst_min": _worst(figures, tenant) for tenant in PRIORITY_CLASSES},
        **{f"{tenant}_median_min": _median(figures, tenant) for tenant in PRIORITY_CLASSES},
        "longest_idle_min": round(max(max(f.longest_drought_minutes.values()) for f in figures)),
        "deadlines_missed_%": round(100 * missed, 1),
        "busy_%": round(100 * mean(each.busy_share for each in figures), 1),
        "in_demand_%": round(100 * mean(each.held_in_demand for each in figures), 2),
        "spot_%": round(100 * mean(each.spot_share for each in figures), 1),
        "usd": round(mean(float(each.cost_usd) for each in figures)),
        "cpu_s": f"{seconds:.2f}",
    }


def _worst(figures: Sequence[Figures], name: Any) -> int:
    return round(mean(each.worst_wait_minutes[name] for each in figures))


def _median(figures: Sequence[Figures], name: Any) -> int:
    return round(mean(each.median_wait_minutes[name] for each in figures))
