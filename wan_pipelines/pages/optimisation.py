"""What the page says that is written where videos cost more than they may."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from wan_pipelines.pages.charts import Box, shares

KINDS = {
    "load": ("Loading", "starting workers, loading models"),
    "text": ("Text", "reading prompts"),
    "denoise": ("Denoising", "drawing"),
    "decode": ("Decoding", "making frames of what was drawn"),
    "wait": ("Waiting", "until encoding has caught up"),
    "idle": ("Idle", "paid, with nothing to do"),
    "lost": ("Lost", "what workers that died did not report"),
}
"""Stages: their names, and what they are."""

MOST_WAYS, MOST_MISSING = 12, 4
"""Shown of what meets a target, and of what does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to render such videos, and what one would cost by the estimate.

    changes: what is other than it was; none is how it was done.
    videos_per_worker: among how many the start of a worker is shared.
    prompt_fidelity, vmaf: of the tier as measured; None where it was not measured.
    """

    release: str
    tier: str
    gpu_class: str
    shard_minutes: float
    workers: int
    changes: tuple[str, ...]
    seconds: float
    start_seconds: float
    videos_per_worker: float
    each_micro_usd: int
    meets: bool
    basis: str
    prompt_fidelity: float | None
    vmaf: float | None

    @property
    def quality(self) -> str:
        """In words."""
        known = []
        if self.prompt_fidelity is not None:
            known.append(f"prompt fidelity {self.prompt_fidelity:.2f}")
        if self.vmaf is not None:
            known.append(f"VMAF {self.vmaf:.0f}")
        return ", ".join(known) or "not measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Videos that cost more than their target, where the money went, and what would have met it.

    `kinds` are all micro-dollars by stage; `each_micro_usd` is None where no video came of them.
    `wasted` and `retried` lie across the stages.
    """

    target: str
    target_micro_usd: int
    each_micro_usd: int | None
    videos: int
    within: int
    paid_micro_usd: int
    kinds: Mapping[str, int]
    wasted_micro_usd: int
    retried_micro_usd: int
    ways: tuple[Way, ...]

    @property
    def shares(self) -> tuple[Box, ...]:
        """The stages side by side."""
        return shares(list(self.kinds.values()))

    @property
    def fitting(self) -> tuple[Way, ...]:
        """What would have met the target."""
        return tuple(way for way in self.ways if way.meets)

    @property
    def shown(self) -> tuple[Way, ...]:
        """How it was done, the best ways that meet the target, and the cheapest that do not."""
        as_it_was = tuple(way for way in self.ways if not way.changes)
        others = [way for way in self.ways if way.changes]
        fitting = [way for way in others if way.meets][:MOST_WAYS]
        rest = sorted((w for w in others if not w.meets), key=lambda way: way.each_micro_usd)
        return (*as_it_was, *fitting, *rest[:MOST_MISSING])


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimisationView:
    """The page of one edition; `edition_href` opens the edition's own page."""

    tenant: str
    campaign: str
    edition: str
    generated_at: datetime
    edition_href: str
    missed: tuple[Missed, ...]
    schema_version: int = 1

    def to_json(self) -> dict[str, Any]:
        """Plain data, with stable names."""
        return {**asdict(self), "generated_at": self.generated_at.isoformat()}
