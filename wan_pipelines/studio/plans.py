"""What a launch would do: a decision about every shot, with what it is expected to cost."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.ledger.admission import State
from wan_pipelines.ledger.editions import EditionKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShot:
    """A shot, what was decided about it and why, and what it is expected to take.

    `renders` tells whether it is rendered now, or was before. `hint` says what to do about a
    prompt that screening stopped. The estimates are 0 for a shot that is not rendered now.
    """

    shot: Shot
    state: State
    renders: bool
    reason: str
    hint: str
    may_run_at: datetime | None
    gpu_seconds: float
    cost_micro_usd: int

    @property
    def why(self) -> str:
        """Reason and hint in one; empty for a shot that is simply rendered."""
        return f"{self.reason} {self.hint}".strip()


@dataclass(frozen=True)
class Plan:
    """What a launch of an edition would do, or does."""

    edition: EditionKey
    shots: tuple[PlannedShot, ...]
    budget_micro_usd: int | None

    @cached_property
    def counts(self) -> Counter[State]:
        return Counter(planned.state for planned in self.shots)

    @property
    def gpu_seconds(self) -> float:
        return sum(planned.gpu_seconds for planned in self.shots)

    @property
    def cost_micro_usd(self) -> int:
        return sum(planned.cost_micro_usd for planned in self.shots)

    @property
    def over_budget(self) -> bool:
        return self.budget_micro_usd is not None and self.cost_micro_usd > self.budget_micro_usd
