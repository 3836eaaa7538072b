"""Shards as they travel between processes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from wan_pipelines.ledger.editions import EditionKey


@dataclass(frozen=True, slots=True)
class ShardReference:
    """A shard as it travels between processes: the names of shots of an edition."""

    name: str
    edition: EditionKey
    shots: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["name"], EditionKey(**data["edition"]), tuple(data["shots"]))


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What a shard did, small enough to travel.

    `left` are shots that it neither rendered nor found rendered; `declined` says of some why.
    """

    shard: str
    accepted: int
    reused: int
    failed: tuple[str, ...]
    left: tuple[str, ...]
    declined: Mapping[str, str]
    seconds: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "failed": tuple(data["failed"]), "left": tuple(data["left"])})

    def joined(self, later: Self) -> Self:
        """This and what another worker did of what it had left."""
        kinds = sorted(self.seconds.keys() | later.seconds.keys())
        return type(self)(
            shard=self.shard,
            accepted=self.accepted + later.accepted,
            reused=self.reused + later.reused,
            failed=(*self.failed, *later.failed),
            left=later.left,
            declined={**self.declined, **later.declined},
            seconds={
                kind: self.seconds.get(kind, 0) + later.seconds.get(kind, 0)
                for kind in sorted(kinds)
            },
        )


def nothing_done(shard: ShardReference) -> ShardSummary:
    """The summary of a shard whose shots are all left."""
    return ShardSummary(shard.name, 0, 0, (), shard.shots, {}, {})
