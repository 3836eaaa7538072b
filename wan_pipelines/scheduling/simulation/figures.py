"""What a policy came to: fairness, waiting, deadlines, use of the GPUs, money."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from wan_pipelines.scheduling.records import PRIORITY_CLASSES, PriorityClass
from wan_pipelines.scheduling.simulation.recording import Record, Stint
from wan_pipelines.scheduling.simulation.scenario import Scenario
from wan_pipelines.scheduling.simulation.workload import Campaign, Shard

WINDOW_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one policy in one scenario.

    jain: Jain's index of served GPU time by weight, of the tenants of a class that had shards
    waiting through a whole hour; the mean over such hours. None: no two ever had.
    jain_of_all: the same without regard to classes.
    worst_wait_minutes, median_wait_minutes: until shards first began, of those that cannot wait.
    longest_drought_minutes: in which nothing of a tenant was rendered, and a shard of it was
    waiting that cannot wait.
    busy_share: part of the GPUs' time until the last shard ended in which they rendered.
    held_in_demand: part of the on-demand GPUs' time in which they were held, while shards were
    waiting that cannot wait. lost_share, spot_share: of the time that was paid.
    """

    policy: str
    jain: float | None
    jain_of_all: float | None
    worst_wait_minutes: Mapping[PriorityClass, float]
    median_wait_minutes: Mapping[PriorityClass, float]
    longest_drought_minutes: Mapping[PriorityClass, float]
    deadlines: int
    deadlines_missed: int
    busy_share: float
    held_in_demand: float
    lost_share: float
    spot_share: float
    cost_usd: Decimal
    hours: float


def figures_of(
    policy: str, scenario: Scenario, campaigns: Sequence[Campaign], record: Record
) -> Figures:
    """Computed from what happened, and from nothing of how it was decided."""
    end = max(stint.ended for stint in record.stints)
    gpus = sum(pool.gpus for pool in scenario.pools.values())
    held = sum(stint.ended - stint.began for stint in record.stints)
    rendered = sum(stint.rendered_seconds for stint in record.stints)
    loaded = sum(stint.load_seconds for stint in record.stints)
    spot = sum(
        stint.ended - stint.began
        for stint in record.stints
        if scenario.pools[stint.gpu_class].market == "spot"
    )
    waits = _waits(scenario, campaigns, record)
    due = [campaign for campaign in campaigns if campaign.due is not None]
    return Figures(
        policy=policy,
        jain=_mean(_jain_by_hour(scenario, campaigns, record, by_class=True)),
        jain_of_all=_mean(_jain_by_hour(scenario, campaigns, record, by_class=False)),
        worst_wait_minutes={name: max(of) / 60 for name, of in waits.items()},
        median_wait_minutes={name: sorted(of)[len(of) // 2] / 60 for name, of in waits.items()},
        longest_drought_minutes=_droughts(scenario, campaigns, record),
        deadlines=len(due),
        deadlines_missed=sum(_finished(each, record) > (each.due or 0) for each in due),
        busy_share=rendered / (gpus * end),
        held_in_demand=_held_in_demand(scenario, campaigns, record),
        lost_share=max(0.0, held - rendered - loaded) / held,
        spot_share=spot / held,
        cost_usd=_cost(scenario, record.stints),
        hours=end / 3600,
    )


def jain(values: Sequence[float]) -> float:
    """Jain, Chiu and Hawe's index: 1 where all have the same, 1/n where one has everything."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def _jain_by_hour(
    scenario: Scenario, campaigns: Sequence[Campaign], record: Record, *, by_class: bool
) -> Iterator[float]:
    """For each hour and class (or of all) in which several tenants were short of GPUs."""
    served = _served_by_hour(record.stints)
    spells = _short_spells(campaigns, record)
    end = max(record.finished.values())
    for hour in range(int(end // WINDOW_SECONDS)):
        groups: defaultdict[str, list[float]] = defaultdict(list)
        for name, tenant in scenario.tenants.items():
            if _covers(spells[name], hour * WINDOW_SECONDS, (hour + 1) * WINDOW_SECONDS):
                group = tenant.priority_class if by_class else ""
                groups[group].append(served[name, hour] / tenant.weight)
        yield from (jain(values) for values in groups.values() if len(values) > 1)


def _served_by_hour(stints: Iterable[Stint]) -> Mapping[tuple[str, int], float]:
    served: defaultdict[tuple[str, int], float] = defaultdict(float)
    for stint in stints:
        marks = _hours_between(stint.began, stint.ended)
        for begins, ends in pairwise(marks):
            served[stint.tenant, int(begins // WINDOW_SECONDS)] += ends - begins
    return served


def _hours_between(begins: float, ends: float) -> list[float]:
    first, last = int(begins // WINDOW_SECONDS) + 1, int(ends // WINDOW_SECONDS)
    inner = [hour * WINDOW_SECONDS for hour in range(first, last + 1)]
    return [begins, *(mark for mark in inner if begins < mark < ends), ends]


def _short_spells(
    campaigns: Sequence[Campaign], record: Record
) -> Mapping[str, list[tuple[float, float]]]:
    """When tenants had shards waiting that could not wait, as spans that do not overlap."""
    spells: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for campaign, shard in _impatient(campaigns):
        spells[campaign.tenant].append((campaign.launched, record.began[shard.waiting.id]))
    return defaultdict(list, {name: _joined(found) for name, found in spells.items()})


def _joined(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for begins, ends in sorted(spans):
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return joined


def _covers(spans: Iterable[tuple[float, float]], begins: float, ends: float) -> bool:
    return any(first <= begins and ends <= last for first, last in spans)


def _held_in_demand(scenario: Scenario, campaigns: Sequence[Campaign], record: Record) -> float:
    """Part of the on-demand GPUs' time held, while shards were waiting that could not wait."""
    firm = {name for name, pool in scenario.pools.items() if pool.market == "on-demand"}
    spells = _joined(
        (campaign.launched, record.began[shard.waiting.id])
        for campaign, shard in _impatient(campaigns)
    )
    available = sum(last - first for first, last in spells)
    available *= sum(scenario.pools[name].gpus for name in firm)
    held = sum(
        max(0.0, min(last, stint.ended) - max(first, stint.began))
        for stint in record.stints
        if stint.gpu_class in firm
        for first, last in spells
    )
    return held / available if available else 1.0


def _impatient(campaigns: Iterable[Campaign]) -> Iterator[tuple[Campaign, Shard]]:
    for campaign in campaigns:
        for shard in campaign.shards:
            if not shard.waiting.can_wait:
                yield campaign, shard


def _waits(
    scenario: Scenario, campaigns: Sequence[Campaign], record: Record
) -> Mapping[PriorityClass, list[float]]:
    """Seconds until shards began that cannot wait, by class."""
    found: defaultdict[PriorityClass, list[float]] = defaultdict(list)
    for campaign, shard in _impatient(campaigns):
        name = scenario.tenants[campaign.tenant].priority_class
        found[name].append(record.began[shard.waiting.id] - campaign.launched)
    return {name: found[name] for name in PRIORITY_CLASSES if name in found}


def _droughts(
    scenario: Scenario, campaigns: Sequence[Campaign], record: Record
) -> Mapping[PriorityClass, float]:
    """Minutes, of the tenant of each class that had to do without for longest."""
    stints: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for stint in record.stints:
        stints[stint.tenant].append((stint.began, stint.ended))
    longest: defaultdict[PriorityClass, float] = defaultdict(float)
    for tenant, spans in _short_spells(campaigns, record).items():
        name = scenario.tenants[tenant].priority_class
        at_work = _joined(stints[tenant])
        longest[name] = max(longest[name], *(_longest_gap(span, at_work) for span in spans))
    return {name: longest[name] / 60 for name in PRIORITY_CLASSES if name in longest}


def _longest_gap(span: tuple[float, float], at_work: Sequence[tuple[float, float]]) -> float:
    """Seconds within a span that lie outside of all others, the most in a row."""
    first, last = span
    idle_since, longest = first, 0.0
    for begins, ends in at_work:
        if ends > first and begins < last:
            longest = max(longest, begins - idle_since)
            idle_since = max(idle_since, ends)
    return max(longest, last - idle_since)


def _finished(campaign: Campaign, record: Record) -> float:
    return max(record.finished[shard.waiting.id] for shard in campaign.shards)


def _cost(scenario: Scenario, stints: Iterable[Stint]) -> Decimal:
    """What the GPUs cost while they were held, loading and lost work included."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for stint in stints:
        seconds[stint.gpu_class] += stint.ended - stint.began
    cost = sum(
        (
            Decimal(round(seconds[name] * 1000)) / 3_600_000 * pool.usd_per_hour
            for name, pool in scenario.pools.items()
        ),
        Decimal(0),
    )
    return cost.quantize(Decimal("0.01"))


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None
