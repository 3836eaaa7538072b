"""The campaigns of a scenario: who launches what, when, in which shards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from wan_pipelines.errors import InputError
from wan_pipelines.scheduling.records import Waiting
from wan_pipelines.scheduling.simulation.scenario import Scenario, ShotKind

LARGEST_TO_SMALLEST = 1.2
"""Spread (sigma) of the logarithm of campaigns' sizes: the largest are tens of times the median."""

MOST_SHARDS = 10_000
"""All that wait are weighed whenever one begins: twice as many take four times as long."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as it waits, and the seconds that it will really render for."""

    waiting: Waiting
    shots: int
    render_seconds: float


@dataclass(frozen=True, slots=True)
class Campaign:
    """A launch of a tenant's."""

    name: str
    tenant: str
    launched: float
    due: float | None
    shards: tuple[Shard, ...]


def campaigns_of(scenario: Scenario) -> tuple[Campaign, ...]:
    """In the order of their launch; InputError for more shards than are simulated in minutes."""
    random = Random(scenario.seed)  # noqa: S311 (it simulates, and shall repeat itself)
    demands = {name: tenant.demand for name, tenant in scenario.tenants.items()}
    shares = {name: kind.share for name, kind in scenario.kinds.items()}
    made: list[Campaign] = []
    for number, shots in enumerate(_sizes(scenario, random)):
        tenant, kind = _drawn(random, demands), _drawn(random, shares)
        name = f"{tenant}-{number:03}"
        made.append(_campaign(scenario, random, name, tenant, scenario.kinds[kind], shots))
    shards = sum(len(campaign.shards) for campaign in made)
    if shards > MOST_SHARDS:
        raise InputError(
            f"Its shots make {shards:,} shards; {MOST_SHARDS:,} are simulated at most.",
            where="scenario",
            remedy="Give it fewer `shots`, or more `shard_minutes`.",
        )
    return tuple(sorted(made, key=lambda campaign: (campaign.launched, campaign.name)))


def _sizes(scenario: Scenario, random: Random) -> list[int]:
    """Shots of each campaign: a few are large, and they add up."""
    drawn = [random.lognormvariate(0, LARGEST_TO_SMALLEST) for _ in range(scenario.campaigns)]
    spare = scenario.shots - scenario.campaigns
    sizes = [1 + int(spare * size / sum(drawn)) for size in drawn]
    sizes[0] += scenario.shots - sum(sizes)
    return sizes


def _drawn(random: Random, weights: Mapping[str, float]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _campaign(
    scenario: Scenario, random: Random, name: str, tenant: str, kind: ShotKind, shots: int
) -> Campaign:
    wishes = scenario.wishes
    at_once = random.random() < wishes.at_once
    launched = 0.0 if at_once else random.uniform(0, wishes.over_hours * 3600)
    reckoned = shots * kind.seconds / wishes.on_gpus + scenario.shard_minutes * 60
    slack = random.uniform(wishes.least_slack, wishes.most_slack)
    due = launched + slack * reckoned if random.random() < wishes.with_deadline else None
    can_wait = random.random() < wishes.can_wait
    each = Waiting(
        id=name,
        tenant=tenant,
        batch=name,
        gpu_seconds=0,
        since=launched,
        gpu_classes=_classes(scenario, can_wait=can_wait),
        can_wait=can_wait,
        due=due,
    )
    shards = tuple(
        _shard(scenario, random, replace(each, id=f"{name}-{number:03}"), kind, part)
        for number, part in enumerate(_parts(scenario, kind, shots))
    )
    return Campaign(name, tenant, launched, due, shards)


def _shard(scenario: Scenario, random: Random, like: Waiting, kind: ShotKind, shots: int) -> Shard:
    accidents = scenario.accidents
    failed = sum(random.random() < accidents.failed_shots for _ in range(shots))
    truth = random.lognormvariate(0, accidents.estimate_sigma)
    expected = shots * kind.seconds
    waiting = replace(like, gpu_seconds=scenario.starts.warm_seconds + expected / truth)
    return Shard(waiting, shots, expected + failed * kind.seconds)


def _classes(scenario: Scenario, *, can_wait: bool) -> tuple[str, ...]:
    """The on-demand classes, and after them the spot classes for what can wait."""
    pools = scenario.pools
    firm = [name for name in pools if pools[name].market == "on-demand"]
    spot = [name for name in pools if pools[name].market == "spot" and can_wait]
    return (*firm, *spot)


def _parts(scenario: Scenario, kind: ShotKind, shots: int) -> Iterator[int]:
    """Shots of each shard."""
    most = max(1, int(scenario.shard_minutes * 60 / kind.seconds))
    for first in range(0, shots, most):
        yield min(most, shots - first)
