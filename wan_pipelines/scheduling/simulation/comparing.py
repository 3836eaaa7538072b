"""One scenario under several policies."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from wan_pipelines.scheduling.baselines import FIFO, PLAIN_PRIORITY
from wan_pipelines.scheduling.policy import FairShare, Policy
from wan_pipelines.scheduling.simulation.cluster import Cluster
from wan_pipelines.scheduling.simulation.figures import Figures, figures_of
from wan_pipelines.scheduling.simulation.scenario import Scenario
from wan_pipelines.scheduling.simulation.workload import campaigns_of


def policies_of(scenario: Scenario) -> Mapping[str, Policy]:
    """All that there are, by name."""
    settings = scenario.scheduling
    at_once = FairShare(settings, patient=False)
    policies: Sequence[Policy] = (FIFO, PLAIN_PRIORITY, at_once, FairShare(settings))
    return {policy.name: policy for policy in policies}


def compare(scenario: Scenario, policies: Sequence[Policy]) -> tuple[Figures, ...]:
    """The figures of each, with the same campaigns for all."""
    campaigns = campaigns_of(scenario)
    return tuple(
        figures_of(policy.name, scenario, campaigns, Cluster(scenario, campaigns, policy).run())
        for policy in policies
    )


def row_of(figures: Figures) -> dict[str, Any]:
    """Figures as a flat record for tables and JSON."""
    flat: dict[str, Any] = {}
    for name, value in asdict(figures).items():
        if isinstance(value, Mapping):
            flat |= {f"{name}_{inner}": round(part, 1) for inner, part in value.items()}
        else:
            flat[name] = round(value, 4) if isinstance(value, float) else value
    return flat
