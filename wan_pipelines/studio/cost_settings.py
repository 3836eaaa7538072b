"""Where days begin in reports of costs, and what a video may cost."""

from datetime import date
from decimal import Decimal

from pydantic import Field

from wan_pipelines.clocks import Day, TimeZone
from wan_pipelines.records import Record


class CostTarget(Record):
    """What a video of some kind may cost on average: a service-level objective.

    A video counts for the first target that it meets all conditions of.
    """

    usd_per_video: Decimal = Field(
        gt=0,
        le=1_000_000,
        decimal_places=6,
        description="At most so much for each video that is accepted, with all that was paid for "
        "it: loading, failed attempts, waiting.",
        examples=["0.08"],
    )
    lines: int | None = Field(
        default=None,
        ge=1,
        description="Only videos whose shorter side has so many pixels; empty: of any size.",
        examples=[720],
    )
    release: str | None = Field(default=None, description="Only videos of this release.")
    tier: str | None = Field(default=None, description="Only videos of this tier.")

    @property
    def name(self) -> str:
        """What it is about, in words."""
        words = [self.release, self.tier, f"{self.lines}p" if self.lines else None]
        return " ".join(filter(None, words)) or "any video"

    def covers(self, *, release: str, tier: str, lines: int) -> bool:
        """Does it say something about such videos?"""
        pairs = ((self.release, release), (self.tier, tier), (self.lines, lines))
        return all(wanted in (None, found) for wanted, found in pairs)


AT_720P = CostTarget(usd_per_video=Decimal("0.08"), lines=720)


class CostSettings(Record):
    """How costs are reported."""

    time_zone: TimeZone = Field(default="UTC", description="Where the days of reports begin.")
    since: Day = Field(default=date(2026, 1, 1), description="The first day of daily reports.")
    targets: tuple[CostTarget, ...] = Field(
        default=(AT_720P,), description="What videos may cost; the first that fits a video counts."
    )

    def target(self, *, release: str, tier: str, lines: int) -> CostTarget | None:
        """What such a video may cost, if anything says so."""
        fitting = (t for t in self.targets if t.covers(release=release, tier=tier, lines=lines))
        return next(fitting, None)
