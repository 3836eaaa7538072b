"""What a policy decides about: who waits, what runs, which GPUs are free, who had how much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Literal

PriorityClass = Literal["vip", "standard", "background"]
PRIORITY_CLASSES: tuple[PriorityClass, ...] = ("vip", "standard", "background")
Market = Literal["on-demand", "spot"]
Lane = tuple[str, int, str]
"""Tenant, priority, GPU class."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a tenant's plan says: its weight among its class, and its shards at a time at most."""

    priority_class: PriorityClass = "standard"
    weight: int = 1
    concurrent_shards: int | None = None

    @property
    def rank(self) -> int:
        """0 for the class that goes first."""
        return PRIORITY_CLASSES.index(self.priority_class)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A shard in line since `since`.

    gpu_seconds: what it is expected to hold its GPUs for, loading included.
    gpu_classes: where it may run; the first one is its own.
    batch: the shards of one launch have it in common, and with it their deadline `due`.
    can_wait: it takes spot capacity, and the night, for as long as its deadline permits.
    """

    id: str
    tenant: str
    batch: str
    gpu_seconds: float
    since: float
    gpu_classes: tuple[str, ...]
    priority: int = 0
    can_wait: bool = False
    due: float | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A shard that holds a slot of a GPU class."""

    id: str
    tenant: str
    gpu_class: str
    gpu_seconds: float
    began: float


@dataclass(frozen=True, slots=True)
class Slots:
    """How many shards a GPU class renders at a time, in which market, on how many GPUs each."""

    total: int
    market: Market = "on-demand"
    gpus: int = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """GPU seconds that a tenant was served, forgotten by halves, until a shard of it last ended."""

    gpu_seconds: float = 0.0
    ended: float = 0.0

    def standing_at(self, now: float, half_life: float) -> float:
        """What is remembered of it by then."""
        return self.gpu_seconds * 0.5 ** (max(0.0, now - self.ended) / half_life)

    def after(self, held: float, gpus: int, now: float, half_life: float) -> "Usage":
        """The same once a shard has ended that held its GPUs for so many seconds."""
        remembered = gpus * remembered_of(held, half_life)
        return Usage(self.standing_at(now, half_life) + remembered, max(now, self.ended))


def remembered_of(held: float, half_life: float) -> float:
    """Of so many seconds that end now, each forgotten since it passed: the integral of the decay.

    Shards of any length count alike so, second by second.
    """
    return half_life / log(2) * (1 - 0.5 ** (held / half_life))


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything there is to know at the moment `now`.

    Tenants without a standing or usage have the ordinary one, or none. `begun` says when a shard
    last began, by tenant, priority and GPU class; what began long ago may be left out.
    """

    now: float
    waiting: Sequence[Waiting]
    running: Sequence[Running]
    slots: Mapping[str, Slots]
    usage: Mapping[str, Usage] = field(default_factory=dict)
    standings: Mapping[str, Standing] = field(default_factory=dict)
    begun: Mapping[Lane, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A shard begins now, on a slot of that GPU class."""

    id: str
    gpu_class: str
