"""On which GPU classes a shard may begin at a moment: what can wait goes where it is cheap."""

from collections.abc import Mapping
from dataclasses import dataclass

from wan_pipelines.scheduling.records import Scene, Slots, Waiting
from wan_pipelines.scheduling.settings import Scheduling


@dataclass(slots=True)
class _Backlog:
    """What is left of a batch that has a deadline: all of it, and its longest shard."""

    gpu_seconds: float = 0.0
    longest: float = 0.0


class Markets:
    """The rule, for one scene."""

    def __init__(self, scene: Scene, settings: Scheduling) -> None:
        self._now = scene.now
        self._slots = scene.slots
        self._safety = settings.deadline_safety
        self._is_night = settings.night is not None and settings.night.is_open(scene.now)
        self._backlogs = _backlogs(scene)

    def choices(self, shard: Waiting) -> tuple[str, ...]:
        """Where it may begin now, best first.

        A shard that cannot wait goes where it may, in its own order. One that can takes spot
        capacity; the night opens on-demand GPUs to it as well, and so does its deadline, which puts
        them first: they are not taken away.
        """
        if not shard.can_wait:
            return shard.gpu_classes
        known = [name for name in shard.gpu_classes if name in self._slots]
        spot = [name for name in known if self._slots[name].market == "spot"]
        on_demand = [name for name in known if self._slots[name].market == "on-demand"]
        if self.is_urgent(shard):
            return (*on_demand, *spot)
        return (*spot, *on_demand) if self._is_night or not spot else tuple(spot)

    def is_urgent(self, shard: Waiting) -> bool:
        """Would its batch miss the deadline if it waited any longer?"""
        if shard.due is None:
            return False
        left = self._backlogs[shard.batch]
        seconds = left.longest + left.gpu_seconds / _at_a_time(shard, self._slots)
        return self._now >= shard.due - self._safety * seconds


def _backlogs(scene: Scene) -> Mapping[str, _Backlog]:
    found: dict[str, _Backlog] = {}
    for shard in scene.waiting:
        if shard.due is not None:
            backlog = found.setdefault(shard.batch, _Backlog())
            backlog.gpu_seconds += shard.gpu_seconds
            backlog.longest = max(backlog.longest, shard.gpu_seconds)
    return found


def _at_a_time(shard: Waiting, slots: Mapping[str, Slots]) -> int:
    """How many shards like it the on-demand GPUs take, if others leave them half of it."""
    on_demand = (slots[name] for name in shard.gpu_classes if name in slots)
    return max(1, sum(each.total for each in on_demand if each.market == "on-demand") // 2)
