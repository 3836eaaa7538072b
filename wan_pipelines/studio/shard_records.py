"""Shards as they travel between processes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypeVar

from wan_pipelines.ledger.keys import EditionKey

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class ShardReference:
    """A shard as it travels between processes: the names of shots of an edition.

    `gpu_seconds` is what it is expected to hold its GPUs for, loading included. With `exact` no
    other pixels are drawn than were asked for, whatever the tenant permits.
    """

    name: str
    edition: EditionKey
    shots: tuple[str, ...]
    exact: bool = False
    gpu_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        edition, shots = EditionKey(**data["edition"]), tuple(data["shots"])
        return cls(**{**data, "edition": edition, "shots": shots})


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What a shard did, small enough to travel.

    `left` are shots that it neither rendered nor found rendered; `declined` says of some why.
    `artifact_hits` are videos drawn by compiled code, `artifact_misses` say why some, whose tier
    would have liked it, were not: how many, by reason.
    """

    shard: str
    accepted: int
    reused: int
    failed: tuple[str, ...]
    left: tuple[str, ...]
    declined: Mapping[str, str]
    seconds: Mapping[str, float]
    artifact_hits: int = 0
    artifact_misses: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "failed": tuple(data["failed"]), "left": tuple(data["left"])})

    def joined(self, later: Self) -> Self:
        """This and what another worker did of what it had left."""
        return type(self)(
            shard=self.shard,
            accepted=self.accepted + later.accepted,
            reused=self.reused + later.reused,
            failed=(*self.failed, *later.failed),
            left=later.left,
            declined={**self.declined, **later.declined},
            seconds=_sums(self.seconds, later.seconds),
            artifact_hits=self.artifact_hits + later.artifact_hits,
            artifact_misses=_sums(self.artifact_misses, later.artifact_misses),
        )


def _sums(one: Mapping[str, Number], other: Mapping[str, Number]) -> dict[str, Number]:
    rest = {key: value for key, value in other.items() if key not in one}
    both = {key: value + other[key] if key in other else value for key, value in one.items()}
    return {**both, **rest}


def nothing_done(shard: ShardReference) -> ShardSummary:
    """The summary of a shard whose shots are all left."""
    return ShardSummary(shard.name, 0, 0, (), shard.shots, {}, {})
