"""Which engine a scenario is for."""

from typing import Any

from wan_pipelines.pages.bench import EngineRow
from wan_pipelines.studio.benching.choosing import choose


def row(engine: str, **fields: Any) -> EngineRow:
    figures: dict[str, Any] = {
        "tier": "standard",
        "scenario": "template",
        "videos": 4,
        "latency_p95_seconds": 1.0,
        "videos_per_hour": 100.0,
        "cost_micro_usd": 10,
        "prompt_fidelity": 0.9,
    }
    return EngineRow(engine=engine, **{**figures, **fields})


def test_each_scenario_has_a_measure_of_its_own() -> None:
    rows = [
        row(engine, scenario=scenario, **figures)
        for scenario in ("short", "template", "long")
        for engine, figures in (
            ("busy", {"videos_per_hour": 200.0}),
            ("prompt", {"latency_p95_seconds": 0.5}),
            ("thrifty", {"cost_micro_usd": 5}),
        )
    ]
    chosen = [choose(scenario, rows) for scenario in ("short", "template", "long")]
    assert [choice and choice.engine for choice in chosen] == ["busy", "prompt", "thrifty"]


def test_what_shows_less_of_the_prompt_is_not_chosen_for_its_speed() -> None:
    rows = [row("hasty", latency_p95_seconds=0.1, prompt_fidelity=0.6), row("good")]
    choice = choose("template", rows)
    assert choice
    assert choice.engine == "good"
    assert choice.why.endswith("1 others show less of what is asked for")
    close = [row("hasty", latency_p95_seconds=0.1, prompt_fidelity=0.86), row("good")]
    assert (chosen := choose("template", close))
    assert chosen.engine == "hasty"


def test_a_choice_says_that_the_machine_had_other_work() -> None:
    choice = choose("template", [row("any")], busy=True)
    assert choice
    assert choice.why.endswith("the machine had other work: measure again")


def test_nothing_is_chosen_of_nothing() -> None:
    assert choose("template", [row("broken", missing="it does not load")]) is None
    assert choose("long", [row("other")]) is None
