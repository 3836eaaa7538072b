"""Turns at the GPUs, in the words of those who ask for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from wan_pipelines.scheduling.policy import FairShare
from wan_pipelines.scheduling.records import Slots, Standing


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known of a shard when it is cut: where it may run, and how it stands in line."""

    shard: str
    gpu_seconds: float
    gpu_classes: tuple[str, ...]
    priority: int = 0
    can_wait: bool = False
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """How decisions are made: the policy, the slots of GPU classes, how tenants stand."""

    policy: FairShare
    slots: Mapping[str, Slots]
    standings: Mapping[str, Standing]


@dataclass(frozen=True, slots=True)
class Asker:
    """A run, the runs that it repeats (its own first), and the process that asks for it."""

    runs: tuple[str, ...]
    process: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Shards that have their turn, with its GPU class; those that wait; those nobody lined up.

    in_line: how many shards of all tenants wait.
    """

    began: Mapping[str, str]
    waiting: frozenset[str]
    unknown: frozenset[str]
    in_line: int


@dataclass(frozen=True, slots=True)
class TurnInLine:
    """A shard that waits or runs, for those who look."""

    tenant: str
    campaign: str
    edition: str
    shard: str
    run_id: str
    priority: int
    can_wait: bool
    gpu_seconds: float
    gpu_classes: tuple[str, ...]
    gpu_class: str | None
    due_at: datetime | None
    asked_at: datetime
    began_at: datetime | None
