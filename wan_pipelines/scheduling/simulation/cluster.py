"""The cluster: shards come, begin where a policy says, and end, or are cut short."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Literal

from wan_pipelines.errors import InputError
from wan_pipelines.scheduling.policy import Policy, beginnings
from wan_pipelines.scheduling.records import (
    Beginning,
    Lane,
    Market,
    Running,
    Scene,
    Slots,
    Standing,
    Usage,
)
from wan_pipelines.scheduling.simulation.recording import Record, Stint
from wan_pipelines.scheduling.simulation.scenario import Scenario
from wan_pipelines.scheduling.simulation.workload import Campaign, Shard

Kind = Literal["launch", "end", "cut", "repaired", "look"]
LOOK_SECONDS = 60.0
"""While there are free GPUs and shards that wait for another time, they are looked at so often."""
LONGEST_DAYS = 100
MOST_CUTS = 1000
"""A shard that was cut short more often is never rendered: accidents come before checkpoints."""


@dataclass(slots=True)
class _Gpu:
    """One GPU; it loads faster from the second shard on."""

    name: str
    gpu_class: str
    market: Market
    is_warm: bool = False
    is_up: bool = True
    shard: str | None = None


@dataclass(slots=True)
class _Job:
    """A shard, what is left of it to render, and where it runs."""

    shard: Shard
    left_seconds: float
    gpu: _Gpu | None = None
    began: float = 0.0
    load_seconds: float = 0.0
    cuts: int = 0


@dataclass(order=True, slots=True)
class _Event:
    at: float
    number: int
    kind: Kind = field(compare=False)
    subject: str = field(compare=False, default="")


class Cluster:
    """A scenario under a policy."""

    def __init__(self, scenario: Scenario, campaigns: Sequence[Campaign], policy: Policy) -> None:
        self._scenario = scenario
        self._policy = policy
        self._random = Random(scenario.seed)  # noqa: S311 (it simulates, and shall repeat itself)
        self._gpus = list(_gpus(scenario))
        self._campaigns = {campaign.name: campaign for campaign in campaigns}
        self._waiting: dict[str, _Job] = {}
        self._running: dict[str, _Job] = {}
        self._usage: dict[str, Usage] = {}
        self._begun: dict[Lane, float] = {}
        self._standings = {
            name: Standing(tenant.priority_class, tenant.weight, tenant.concurrent_shards)
            for name, tenant in scenario.tenants.items()
        }
        self._events: list[_Event] = []
        self._number = 0
        self._looks_at = -1.0
        self.record = Record()
        for campaign in campaigns:
            self._plan(campaign.launched, "launch", campaign.name)

    def run(self) -> Record:
        """Until everything is rendered; InputError when that would be never, or takes too long."""
        while self._events:
            now = self._events[0].at
            if now > LONGEST_DAYS * 86_400 and (self._waiting or self._running):
                raise _endless(
                    f"After {LONGEST_DAYS} days some of it is still not rendered.",
                    "Give it fewer `shots`, or its `pools` more GPUs.",
                )
            while self._events and self._events[0].at == now:
                self._happens(heapq.heappop(self._events))
            self._begin(now)
        return self.record

    def _happens(self, event: _Event) -> None:
        match event.kind:
            case "launch":
                for shard in self._campaigns[event.subject].shards:
                    self._waiting[shard.waiting.id] = _Job(shard, shard.render_seconds)
            case "end":
                job = self._running.pop(event.subject)
                self._leave(job, event.at, rendered=job.left_seconds)
                self.record.finished[event.subject] = event.at
            case "cut":
                self._cut(self._running.pop(event.subject), event.at)
            case "repaired":
                self._gpus[int(event.subject)].is_up = True
            case "look":
                """Time has passed, which is all that some shards wait for."""

    def _begin(self, now: float) -> None:
        scene = self._scene(now)
        for beginning in beginnings(self._policy, scene):
            self._start(beginning, now)
        if self._waiting and self._looks_at <= now and any(map(_is_free, self._gpus)):
            self._looks_at = now + LOOK_SECONDS
            self._plan(self._looks_at, "look")

    def _scene(self, now: float) -> Scene:
        slots: dict[str, Slots] = {}
        for gpu in self._gpus:
            known = slots.get(gpu.gpu_class, Slots(0, gpu.market))
            slots[gpu.gpu_class] = replace(known, total=known.total + gpu.is_up)
        return Scene(
            now=now,
            waiting=[job.shard.waiting for job in self._waiting.values()],
            running=[_running(job) for job in self._running.values()],
            slots=slots,
            usage=self._usage,
            standings=self._standings,
            begun=self._begun,
        )

    def _start(self, beginning: Beginning, now: float) -> None:
        job = self._waiting.pop(beginning.id)
        gpu = min(
            (gpu for gpu in self._gpus if _is_free(gpu) and gpu.gpu_class == beginning.gpu_class),
            key=lambda gpu: not gpu.is_warm,
        )
        starts = self._scenario.starts
        job.load_seconds = starts.warm_seconds if gpu.is_warm else starts.cold_seconds
        job.gpu, job.began = gpu, now
        gpu.shard, gpu.is_warm = beginning.id, True
        waiting = job.shard.waiting
        self._running[waiting.id] = job
        self._begun[waiting.tenant, waiting.priority, gpu.gpu_class] = now
        self.record.began.setdefault(waiting.id, now)
        seconds = job.load_seconds + job.left_seconds
        cut_after = self._until_cut(gpu)
        if cut_after < seconds:
            self._plan(now + cut_after, "cut", waiting.id)
        else:
            self._plan(now + seconds, "end", waiting.id)

    def _until_cut(self, gpu: _Gpu) -> float:
        """Seconds until its worker would crash, or the GPU be taken away."""
        accidents = self._scenario.accidents
        rate = accidents.crashes_per_hour
        if gpu.market == "spot":
            rate += accidents.preemptions_per_hour
        return self._random.expovariate(rate / 3600) if rate else float("inf")

    def _cut(self, job: _Job, now: float) -> None:
        """What was rendered since the last checkpoint is lost; the rest waits in its old place."""
        assert job.gpu
        accidents = self._scenario.accidents
        rendered = max(0.0, now - job.began - job.load_seconds)
        kept = rendered - rendered % accidents.checkpoint_seconds
        gpu = job.gpu
        self._leave(job, now, rendered=kept)
        job.left_seconds -= kept
        job.cuts += 1
        if job.cuts > MOST_CUTS:
            raise _endless(
                f"A shard was cut short {MOST_CUTS} times: it gets to no checkpoint any more.",
                "Lower `accidents.crashes_per_hour`, `accidents.preemptions_per_hour` or "
                "`accidents.checkpoint_seconds`.",
            )
        waiting = job.shard.waiting
        left = self._scenario.starts.warm_seconds + job.left_seconds
        job.shard = replace(job.shard, waiting=replace(waiting, gpu_seconds=left))
        self._waiting[waiting.id] = job
        gpu.is_up = gpu.is_warm = False
        repaired = now + accidents.recovery_minutes * 60
        self._plan(repaired, "repaired", str(self._gpus.index(gpu)))

    def _leave(self, job: _Job, now: float, *, rendered: float) -> None:
        assert job.gpu
        waiting, gpu = job.shard.waiting, job.gpu
        half_life = self._scenario.scheduling.half_life_seconds
        usage = self._usage.get(waiting.tenant, Usage())
        self._usage[waiting.tenant] = usage.after(now - job.began, 1, now, half_life)
        self.record.stints.append(
            Stint(waiting.tenant, gpu.gpu_class, job.began, now, rendered, job.load_seconds)
        )
        gpu.shard, job.gpu = None, None

    def _plan(self, at: float, kind: Kind, subject: str = "") -> None:
        self._number += 1
        heapq.heappush(self._events, _Event(at, self._number, kind, subject))


def _gpus(scenario: Scenario) -> Iterator[_Gpu]:
    for name, pool in scenario.pools.items():
        for number in range(pool.gpus):
            yield _Gpu(f"{name}-{number}", name, pool.market)


def _is_free(gpu: _Gpu) -> bool:
    return gpu.is_up and gpu.shard is None


def _running(job: _Job) -> Running:
    assert job.gpu
    waiting = job.shard.waiting
    return Running(waiting.id, waiting.tenant, job.gpu.gpu_class, waiting.gpu_seconds, job.began)


def _endless(problem: str, remedy: str) -> InputError:
    return InputError(problem, where="scenario", remedy=remedy)
