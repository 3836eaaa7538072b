"""What is simulated: tenants, campaigns, shots, GPUs, and what goes wrong.

Every number has an end, so that each scenario is simulated within minutes.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from wan_pipelines.errors import InputError
from wan_pipelines.records import Record
from wan_pipelines.scheduling.records import Market, PriorityClass
from wan_pipelines.scheduling.settings import Scheduling
from wan_pipelines.validation import validated
from wan_pipelines.yaml_source import load_yaml

Number = Annotated[int, Field(ge=1, le=10_000)]
Share = Annotated[float, Field(gt=0, le=1_000_000)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
PerHour = Annotated[float, Field(ge=0, le=3600)]


class GpuPool(Record):
    """GPUs of one kind that are bought in one market."""

    gpus: int = Field(ge=0, le=10_000, description="How many there are.")
    market: Market = Field(default="on-demand", description="May they be taken away?")
    usd_per_hour: Decimal = Field(ge=0, le=1_000_000, description="Price of one for an hour.")


class ShotKind(Record):
    """Shots that take the same time."""

    seconds: float = Field(gt=0, le=86_400, description="On a warm GPU of the pools.")
    share: Share = Field(description="Weight among the kinds of campaigns.")


class SimulatedTenant(Record):
    """Who asks, how its plan stands, and how much it asks for."""

    priority_class: PriorityClass = "standard"
    weight: int = Field(default=1, ge=1, le=1000)
    concurrent_shards: int | None = Field(default=None, ge=1)
    demand: Share = Field(default=1.0, description="Weight of its part of all shots.")


class Starts(Record):
    """Seconds until a worker renders."""

    cold_seconds: Seconds = Field(default=110, description="On a node without the weights.")
    warm_seconds: Seconds = Field(default=35, description="With weights and artifact there.")


class Accidents(Record):
    """What goes wrong; nothing of it is published, so these are assumptions."""

    preemptions_per_hour: PerHour = Field(default=0.05, description="Of each spot GPU.")
    crashes_per_hour: PerHour = Field(default=0.005, description="Of each GPU's worker.")
    recovery_minutes: float = Field(
        default=10, ge=0, le=1440, description="Until there is another GPU."
    )
    failed_shots: float = Field(default=0.01, ge=0, lt=1, description="Part drawn once more.")
    estimate_sigma: float = Field(
        default=0.15, ge=0, le=2, description="Spread of log(true/estimate)."
    )
    checkpoint_seconds: float = Field(
        default=60, gt=0, le=86_400, description="What is lost at most."
    )


class Wishes(Record):
    """What campaigns ask for beside their shots."""

    can_wait: float = Field(default=0.3, ge=0, le=1, description="Part that may wait for spot.")
    with_deadline: float = Field(default=0.5, ge=0, le=1, description="Part with a deadline.")
    least_slack: float = Field(
        default=1.5, ge=1, le=1000, description="Deadline over time on its part."
    )
    most_slack: float = Field(default=4.0, ge=1, le=1000)
    on_gpus: Number = Field(default=8, description="GPUs that deadlines are reckoned with.")
    at_once: float = Field(default=0.25, ge=0, le=1, description="Part launched at the beginning.")
    over_hours: float = Field(
        default=10, gt=0, le=1000, description="Over which the others are launched."
    )


H100_POOLS = {
    "h100": GpuPool(gpus=48, usd_per_hour=Decimal("2.69")),
    "h100-spot": GpuPool(gpus=16, market="spot", usd_per_hour=Decimal("1.29")),
}
PUBLISHED_KINDS = {
    "720p-4-steps": ShotKind(seconds=56.5, share=0.6),
    "480p-40-steps": ShotKind(seconds=326.9, share=0.25),
    "720p-40-steps": ShotKind(seconds=1041.5, share=0.15),
}
"""Of Wan2.2-T2V-A14B on an H100; four distilled steps take 51 to 62 s."""
TEN_TENANTS = {
    "studio": SimulatedTenant(priority_class="vip", weight=2, demand=1),
    "agency": SimulatedTenant(priority_class="vip", demand=0.5),
    "catalogue": SimulatedTenant(weight=4, demand=6),
    "news": SimulatedTenant(weight=2, demand=2),
    "school": SimulatedTenant(demand=2),
    "shop": SimulatedTenant(demand=1),
    "travel": SimulatedTenant(demand=1),
    "games": SimulatedTenant(demand=3),
    "archive": SimulatedTenant(priority_class="background", demand=2),
    "research": SimulatedTenant(priority_class="background", demand=1),
}


class Scenario(Record):
    """A day of a cluster. The same scenario gives the same figures, to the last digit."""

    seed: int = Field(default=1, ge=0)
    campaigns: Number = 100
    shots: int = Field(default=10_000, ge=1, le=100_000)
    shard_minutes: float = Field(default=30, gt=0, le=10_080)
    pools: dict[str, GpuPool] = Field(default=H100_POOLS, min_length=1, max_length=100)
    kinds: dict[str, ShotKind] = Field(default=PUBLISHED_KINDS, min_length=1, max_length=100)
    tenants: dict[str, SimulatedTenant] = Field(default=TEN_TENANTS, min_length=1, max_length=1000)
    starts: Starts = Starts()
    accidents: Accidents = Accidents()
    wishes: Wishes = Wishes()
    scheduling: Scheduling = Scheduling()

    @model_validator(mode="after")
    def _can_be_rendered(self) -> "Scenario":
        if not any(pool.gpus and pool.market == "on-demand" for pool in self.pools.values()):
            raise ValueError("`pools` need at least one on-demand GPU, for what cannot wait")
        if self.shots < self.campaigns:
            raise ValueError("each campaign needs a shot: make `shots` at least `campaigns`")
        return self


def read_scenario(path: Path) -> Scenario:
    """The scenario of a YAML file; InputError names line, field, value and remedy."""
    source = load_yaml(path)
    if source.data is not None and not isinstance(source.data, dict):
        raise InputError(
            "This is no scenario.", where=str(path), remedy="Write its fields as `name: value`."
        )
    return validated(Scenario, source.data or {}, source.where)


def changed(
    scenario: Scenario,
    *,
    shots: int | None = None,
    campaigns: int | None = None,
    gpus: int | None = None,
    spot: int | None = None,
    seed: int | None = None,
) -> Scenario:
    """The same with other sizes; `gpus` and `spot` are of its first pool of either market.

    InputError for GPUs on a market of which it has no pool.
    """
    pools = {name: pool.model_dump() for name, pool in scenario.pools.items()}
    counts: tuple[tuple[Market, int | None], ...] = (("on-demand", gpus), ("spot", spot))
    for market, count in counts:
        first = next((name for name, pool in scenario.pools.items() if pool.market == market), None)
        if count and first is None:
            raise InputError(
                f"the scenario has no {market} pool.",
                where="--spot" if market == "spot" else "--gpus",
                remedy=f"Add one to its `pools`, with `market: {market}`, gpus and a price.",
            )
        if count is not None and first is not None:
            pools[first]["gpus"] = count
    wanted = {"shots": shots, "campaigns": campaigns, "seed": seed}
    given = {name: value for name, value in wanted.items() if value is not None}
    return validated(Scenario, {**scenario.model_dump(), **given, "pools": pools}, lambda _: "")
