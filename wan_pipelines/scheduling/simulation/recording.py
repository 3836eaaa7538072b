"""What happened in a simulated cluster."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stint:
    """A shard held a GPU from `began` to `ended`, of which it rendered for so long and kept it."""

    tenant: str
    gpu_class: str
    began: float
    ended: float
    rendered_seconds: float
    load_seconds: float


@dataclass(slots=True)
class Record:
    """Stints in the order of their ends; when each shard first began, and when it was finished."""

    stints: list[Stint] = field(default_factory=list)
    began: dict[str, float] = field(default_factory=dict)
    finished: dict[str, float] = field(default_factory=dict)
