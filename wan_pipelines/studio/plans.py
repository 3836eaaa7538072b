"""What a launch would do: a decision about every shot, with what it is expected to cost."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.ledger.admission import State
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.studio.estimates import ShotEstimate, seconds_between


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedShot:
    """A shot, what was decided about it and why, and what it is expected to take.

    `renders` tells whether it is rendered now, or was before. `hint` says what to do about a
    prompt that screening stopped. There is an estimate, and a cost, of what is rendered now;
    limits count it already where it is `reserved`.
    """

    shot: Shot
    state: State
    renders: bool
    reason: str
    hint: str
    may_run_at: datetime | None
    estimate: ShotEstimate | None
    cost_micro_usd: int
    reserved: bool = field(default=False, compare=False)

    @property
    def gpu_seconds(self) -> float:
        """Expected seconds on a warm worker; 0 for a shot that is not rendered now."""
        return self.estimate.seconds if self.estimate else 0.0

    @property
    def why(self) -> str:
        """Reason and hint in one; empty for a shot that is simply rendered."""
        return f"{self.reason} {self.hint}".strip()


@dataclass(frozen=True, slots=True)
class Starts:
    """What workers are paid for besides rendering, all of them together.

    `wall_seconds` is when the last of them ends, rendering included, if none waits for a GPU:
    `at_a_time` of them work at once.
    """

    workers: int = 0
    gpu_seconds: float = 0.0
    cost_micro_usd: int = 0
    wall_seconds: float = 0.0
    at_a_time: int = 1


@dataclass(frozen=True)
class EditionPlan:
    """What a launch of an edition would do, or does.

    `cost_between_micro_usd` is what everything costs, starts included, if `gpu_seconds_between`;
    `budget_left_micro_usd` what was not paid yet of the edition's budget, if it has one.
    """

    edition: EditionKey
    shots: tuple[PlannedShot, ...]
    budget_micro_usd: int | None
    budget_left_micro_usd: int | None
    starts: Starts
    cost_between_micro_usd: tuple[int, int]

    @cached_property
    def counts(self) -> Counter[State]:
        return Counter(planned.state for planned in self.shots)

    @cached_property
    def estimates(self) -> tuple[ShotEstimate, ...]:
        """Of the shots that are rendered now."""
        return tuple(planned.estimate for planned in self.shots if planned.estimate)

    @property
    def gpu_seconds(self) -> float:
        """Of rendering alone."""
        return sum(estimate.seconds for estimate in self.estimates)

    @property
    def gpu_seconds_between(self) -> tuple[float, float]:
        """What `gpu_seconds` lies between."""
        return seconds_between(self.estimates)

    @property
    def peak_bytes(self) -> int:
        """The most memory that one of the shots needs on a GPU."""
        return max((estimate.peak_bytes for estimate in self.estimates), default=0)

    @property
    def basis(self) -> str:
        """What the estimates rest on, the weakest first; empty where nothing is rendered."""
        found = {estimate.basis: estimate for estimate in self.estimates}
        weakest = sorted(found.values(), key=lambda each: (each.alike, each.takes))
        return ", ".join(estimate.basis for estimate in weakest)

    @property
    def cost_micro_usd(self) -> int:
        """Of the shots and of the workers' starts."""
        return sum(planned.cost_micro_usd for planned in self.shots) + self.starts.cost_micro_usd

    @property
    def over_budget(self) -> bool:
        return self.budget_micro_usd is not None and self.cost_micro_usd > self.budget_micro_usd
