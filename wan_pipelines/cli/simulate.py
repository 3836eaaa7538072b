"""`wan simulate`: a day of a cluster under several policies, before anybody pays for it."""

from pathlib import Path
from time import process_time
from typing import Annotated, Any

import typer
from click import Choice

from wan_pipelines.cli.output import AsJson, console, examples, note, print_json
from wan_pipelines.cli.tables import Column, print_table

POLICIES = ("fifo", "priority", "fair-at-once", "fair")
COLUMNS = (
    Column("policy", "Policy"),
    Column("jain", "Jain", numeric=True),
    Column("vip", "VIP waits", numeric=True),
    Column("standard", "Standard", numeric=True),
    Column("background", "Background", numeric=True),
    Column("drought", "Without", numeric=True),
    Column("missed", "Missed", numeric=True),
    Column("busy", "Busy %", numeric=True),
    Column("in_demand", "In demand %", numeric=True),
    Column("spot", "Spot %", numeric=True),
    Column("cost_usd", "USD", numeric=True),
    Column("hours", "Hours", numeric=True),
)


def register(app: typer.Typer) -> None:
    app.command(
        epilog=examples(
            "wan simulate",
            "wan simulate --shots 20000 --gpus 32 --spot 32",
            "wan simulate cluster.yaml --policy fair --json",
        )
    )(simulate)


def simulate(
    scenario: Annotated[
        Path | None, typer.Argument(help="YAML of a scenario; else ten tenants on 64 H100.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(help="Of these only; may be repeated.", click_type=Choice(POLICIES)),
    ] = None,
    shots: Annotated[int | None, typer.Option(min=1, help="How many, in place of its own.")] = None,
    campaigns: Annotated[int | None, typer.Option(min=1, help="How many launches.")] = None,
    gpus: Annotated[
        int | None, typer.Option(min=1, help="On-demand GPUs of its first pool.")
    ] = None,
    spot: Annotated[int | None, typer.Option(min=0, help="GPUs of its first spot pool.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another day of the same kind.")] = None,
    as_json: AsJson = False,
) -> None:
    """Plan a cluster: who waits how long, which deadlines are missed, what it costs.

    The policy that decides is the one that orders real shards. Waits are the longest in minutes, of
    shards that cannot wait for spot capacity; `Without` is the longest time in which a tenant
    waited and had nothing rendered at all.
    """
    from wan_pipelines.scheduling.simulation.comparing import compare, policies_of, row_of
    from wan_pipelines.scheduling.simulation.scenario import Scenario, changed, read_scenario

    base = read_scenario(scenario) if scenario else Scenario()
    asked = changed(base, shots=shots, campaigns=campaigns, gpus=gpus, spot=spot, seed=seed)
    known = policies_of(asked)
    began = process_time()
    figures = compare(asked, [known[name] for name in policy or POLICIES])
    seconds = process_time() - began
    rows = [row_of(each) for each in figures]
    if as_json:
        print_json({"scenario": asked.model_dump(mode="json"), "policies": rows})
        return
    print_table(console(), [_shown(row) for row in rows], COLUMNS)
    size = sum(pool.gpus for pool in asked.pools.values())
    note(f"{asked.shots:,} shots on {size} GPUs, simulated in {seconds:.1f} processor seconds.")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    classes = ("vip", "standard", "background")
    worst = {name: _minutes(row.get(f"worst_wait_minutes_{name}")) for name in classes}
    droughts = [row.get(f"longest_drought_minutes_{name}") or 0 for name in classes]
    return {
        **worst,
        "policy": row["policy"],
        "jain": None if row["jain"] is None else f"{row['jain']:.3f}",
        "drought": _minutes(max(droughts)),
        "missed": f"{row['deadlines_missed']}/{row['deadlines']}",
        "busy": row["busy_share"] * 100,
        "in_demand": row["held_in_demand"] * 100,
        "spot": row["spot_share"] * 100,
        "cost_usd": row["cost_usd"],
        "hours": row["hours"],
    }


def _minutes(value: float | None) -> str | None:
    return None if value is None else f"{value:.0f}"
