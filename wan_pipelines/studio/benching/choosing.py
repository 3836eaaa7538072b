"""Which engine a scenario is for, judging by what was measured."""

from collections.abc import Callable, Sequence
from typing import Final

from wan_pipelines.pages.bench import Choice, EngineRow
from wan_pipelines.studio.benching.scenarios import ScenarioName

TOLERATED: Final = 0.05
"""Prompt fidelity that may be given up for speed."""

_Measure = Callable[[EngineRow], float]
WISHES: Final[dict[ScenarioName, tuple[_Measure, str]]] = {
    "short": (lambda row: -(row.videos_per_hour or 0.0), "most videos an hour"),
    "template": (lambda row: row.latency_p95_seconds or 0.0, "shortest wait of 19 in 20"),
    "long": (lambda row: float(row.cost_micro_usd or 0), "cheapest a video"),
}


def choose(
    scenario: ScenarioName, rows: Sequence[EngineRow], *, busy: bool = False
) -> Choice | None:
    """The best of what shows what is asked for as well as any; None where nothing was measured.

    `busy` is a machine that had other work: the choice says so.
    """
    measured = [row for row in rows if row.scenario == scenario and not row.missing]
    if not measured:
        return None
    best = max((row.prompt_fidelity or 0.0) for row in measured)
    good = [row for row in measured if (row.prompt_fidelity or 0.0) >= best - TOLERATED]
    measure, words = WISHES[scenario]
    chosen = min(good, key=measure)
    others = len(measured) - len(good)
    why = f"{words} of {len(good)} measured"
    if others:
        why += f"; {others} others show less of what is asked for"
    if busy:
        why += "; the machine had other work: measure again"
    return Choice(scenario=scenario, engine=chosen.engine, tier=chosen.tier, why=why)
