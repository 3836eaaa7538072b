"""What fair share is compared with: orders that know neither tenants' shares nor deadlines."""

from collections.abc import Callable
from typing import Any

from wan_pipelines.scheduling.markets import Markets
from wan_pipelines.scheduling.policy import ORDINARY, Queue
from wan_pipelines.scheduling.records import Scene, Waiting


class _OneLine:
    """Everybody in one line."""

    def __init__(self, shards: list[Waiting]) -> None:
        self.shards = shards

    def key(self) -> int:
        return 0

    def begun(self, gpu_class: str) -> None:
        """The line goes on; nothing else depends on whose shard that was."""


class Baseline:
    """One line for all, in the order of `key`; what can wait begins wherever a GPU is free."""

    def __init__(self, name: str, key: Callable[[Scene, Waiting], Any]) -> None:
        self.name = name
        self._key = key

    def choices(self, scene: Scene) -> None:  # noqa: ARG002 (a rule of other policies)
        return None

    def queues(self, scene: Scene, markets: Markets | None) -> list[Queue]:  # noqa: ARG002
        return [_OneLine(sorted(scene.waiting, key=lambda shard: self._key(scene, shard)))]


def _by_priority(scene: Scene, shard: Waiting) -> Any:
    rank = scene.standings.get(shard.tenant, ORDINARY).rank
    return rank, -shard.priority, shard.since, shard.id


FIFO = Baseline("fifo", lambda _, shard: (shard.since, shard.id))
"""Who came first."""
PLAIN_PRIORITY = Baseline("priority", _by_priority)
"""Class by class and campaigns by priority, as a queue with priorities alone has it."""
