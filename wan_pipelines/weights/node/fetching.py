"""How a node fetches weights."""

from dataclasses import dataclass, field
from threading import Event

from wan_pipelines.weights.events import Tell, tell_nobody


@dataclass(frozen=True, slots=True)
class Fetching:
    """Files at a time, the most that the cache may take, who is told, and what says to stop."""

    parallel: int = 8
    keep_bytes: int | None = None
    tell: Tell = tell_nobody
    stop: Event = field(default_factory=Event)
