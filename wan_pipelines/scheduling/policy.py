"""Which waiting shards begin now.

A policy sorts the waiting into queues and says which queue goes first; the rest is the same for all
of them: a shard begins only where a slot is free and its tenant's limit permits, and as long as one
can begin, one does.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from wan_pipelines.scheduling.markets import Markets
from wan_pipelines.scheduling.records import (
    Beginning,
    Scene,
    Standing,
    Usage,
    Waiting,
    remembered_of,
)
from wan_pipelines.scheduling.settings import Scheduling

ORDINARY = Standing()
OVERDUE = -1
"""The rank before all classes: of a tenant that has waited through all of them."""

COMMITTED_SECONDS = 1800.0
"""What each shard at work counts as served beforehand, however long it is expected to take."""
UNDUE_SECONDS = 4 * 3600.0
"""Among its tenant's, a shard without a deadline counts as due so long after it came."""


class Queue(Protocol):
    """Some of the waiting, the first first."""

    @property
    def shards(self) -> Sequence[Waiting]: ...

    def key(self) -> Any:
        """What decides between queues; the smallest goes first. It changes as shards begin."""
        ...

    def begun(self, gpu_class: str) -> None:
        """One of its shards begins there."""
        ...


class Policy(Protocol):
    """An order, by its name."""

    @property
    def name(self) -> str: ...

    def choices(self, scene: Scene) -> Markets | None:
        """The rule of where what can wait begins; None: wherever it may."""
        ...

    def queues(self, scene: Scene, markets: Markets | None) -> list[Queue]:
        """All that wait."""
        ...


def beginnings(policy: Policy, scene: Scene) -> tuple[Beginning, ...]:
    """What begins at this moment, in order. Depends on nothing but its arguments' values."""
    room = _Room(scene)
    if not scene.waiting or not room.is_left:
        return ()
    markets = policy.choices(scene)
    lines = [_Line(queue, list(queue.shards)) for queue in policy.queues(scene, markets)]
    begun: list[Beginning] = []
    while lines and room.is_left:
        line = min(lines, key=lambda each: each.queue.key())
        beginning = line.next(room, markets)
        if beginning is None:
            lines.remove(line)
        else:
            begun.append(beginning)
    return tuple(begun)


def free_slots(scene: Scene) -> dict[str, int]:
    """How many shards more each GPU class takes."""
    taken = Counter(shard.gpu_class for shard in scene.running)
    return {name: max(0, slots.total - taken[name]) for name, slots in scene.slots.items()}


class _Room:
    """What is left of slots and of tenants' limits while shards begin."""

    def __init__(self, scene: Scene) -> None:
        self._free = free_slots(scene)
        self._standings = scene.standings
        self._at_work = Counter(shard.tenant for shard in scene.running)

    @property
    def is_left(self) -> bool:
        return any(self._free.values())

    def of(self, shard: Waiting, classes: Iterable[str]) -> str | None:
        """The first of the GPU classes that takes the shard."""
        most = self._standings.get(shard.tenant, ORDINARY).concurrent_shards
        if most is not None and self._at_work[shard.tenant] >= most:
            return None
        return next((name for name in classes if self._free.get(name)), None)

    def take(self, shard: Waiting, gpu_class: str) -> None:
        self._free[gpu_class] -= 1
        self._at_work[shard.tenant] += 1


@dataclass(eq=False, slots=True)
class _Line:
    """A queue, and how far it has been gone through: what was passed over finds no room later."""

    queue: Queue
    shards: list[Waiting]
    position: int = 0

    def next(self, room: _Room, markets: Markets | None) -> Beginning | None:
        """The next one that finds room begins."""
        for position in range(self.position, len(self.shards)):
            shard = self.shards[position]
            gpu_class = room.of(shard, markets.choices(shard) if markets else shard.gpu_classes)
            if gpu_class is not None:
                room.take(shard, gpu_class)
                self.queue.begun(gpu_class)
                self.position = position + 1
                return Beginning(shard.id, gpu_class)
        return None


class FairShare:
    """Classes in turn; within a class, who was served least for its weight; nobody for ever last.

    Unless it is `patient`, what can wait begins wherever a GPU is free.
    """

    def __init__(self, settings: Scheduling | None = None, *, patient: bool = True) -> None:
        self.name = "fair" if patient else "fair-at-once"
        self.settings = settings or Scheduling()
        self._patient = patient

    def choices(self, scene: Scene) -> Markets | None:
        return Markets(scene, self.settings) if self._patient else None

    def queues(self, scene: Scene, markets: Markets | None) -> list[Queue]:
        of_tenant: defaultdict[str, list[Waiting]] = defaultdict(list)
        for shard in scene.waiting:
            of_tenant[shard.tenant].append(shard)
        settings = self.settings
        return [
            TenantQueue(scene, tenant, _in_turn(shards, scene, markets, settings), settings)
            for tenant, shards in of_tenant.items()
        ]


class TenantQueue:
    """The shards of one tenant, and how it stands among the others."""

    def __init__(
        self, scene: Scene, tenant: str, shards: Sequence[Waiting], settings: Scheduling
    ) -> None:
        self.shards = shards
        self._tenant = tenant
        self._standing = scene.standings.get(tenant, ORDINARY)
        self._settings = settings
        self._slots = scene.slots
        usage = scene.usage.get(tenant, Usage())
        self._served = usage.standing_at(scene.now, settings.half_life_seconds)
        at_work = [shard for shard in scene.running if shard.tenant == tenant]
        for shard in at_work:
            self._count(shard.gpu_class, max(0.0, scene.now - shard.began))
        idle_since = max(usage.ended, min(shard.since for shard in shards))
        self._waited = 0.0 if at_work else max(0.0, scene.now - idle_since)

    def key(self) -> tuple[int, float, float, str]:
        """Rank first; then who is overdue for longest, or else was served least for its weight."""
        rank = max(OVERDUE, self._standing.rank - int(self._waited / self._settings.ageing_seconds))
        longest = -self._waited if rank == OVERDUE else 0.0
        return rank, longest, self._served / self._standing.weight, self._tenant

    def begun(self, gpu_class: str) -> None:
        self._count(gpu_class, held=0.0)
        self._waited = 0.0

    def _count(self, gpu_class: str, held: float) -> None:
        """What a shard at work was served by now, and what it is committed to be."""
        slots = self._slots.get(gpu_class)
        served = remembered_of(held, self._settings.half_life_seconds)
        self._served += (slots.gpus if slots else 1) * (served + COMMITTED_SECONDS)


def _in_turn(
    shards: Iterable[Waiting], scene: Scene, markets: Markets | None, settings: Scheduling
) -> list[Waiting]:
    """A tenant's own order: what would miss its deadline, then by its campaigns' priority.

    Before all that goes one shard of each priority that was passed over for long.
    """

    def key(shard: Waiting) -> tuple[bool, int, float, float, str]:
        urgent = markets is not None and markets.is_urgent(shard)
        due = shard.since + UNDUE_SECONDS if shard.due is None else shard.due
        return not urgent, -shard.priority, due, shard.since, shard.id

    ordered = sorted(shards, key=key)
    starving = _passed_over(ordered, scene, scene.now - settings.priority_ageing_seconds)
    return sorted(ordered, key=lambda shard: starving.get(shard.id, inf))


def _passed_over(ordered: Iterable[Waiting], scene: Scene, since: float) -> dict[str, float]:
    """The first shard of each priority of which nothing has begun `since`, and since when.

    Of a priority that waits for other GPUs, what begins on these is no comfort.
    """
    alike: dict[tuple[int, tuple[str, ...]], list[Waiting]] = {}
    for shard in ordered:
        alike.setdefault((shard.priority, shard.gpu_classes), []).append(shard)
    found: dict[str, float] = {}
    for first, *others in alike.values():
        lanes = ((first.tenant, first.priority, name) for name in first.gpu_classes)
        begun = max(scene.begun.get(lane, 0.0) for lane in lanes)
        idle_since = max(begun, min(shard.since for shard in (first, *others)))
        if idle_since <= since:
            found[first.id] = idle_since
    return found
