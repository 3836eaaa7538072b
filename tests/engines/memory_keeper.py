"""A keeper that keeps the state after every step."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class MemoryKeeper:
    """`kept` is what an earlier attempt left."""

    kept: bytes | None = None
    offered: dict[int, bytes] = field(default_factory=dict)
    limit_bytes: int = 0
    resumed_at: int | None = None
    refusal: str = ""

    def found(self, limit_bytes: int) -> bytes | None:
        self.limit_bytes = limit_bytes
        return self.kept

    def resumed(self, step: int) -> None:
        self.resumed_at = step

    def refused(self, reason: str) -> None:
        self.refusal = reason

    def step_done(self, step: int, pack: Callable[[], bytes]) -> None:
        self.offered[step] = pack()
