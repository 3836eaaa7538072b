"""What an environment may say about order: how long memory and patience are, and when it is night.

The defaults are those that docs/fairness.md has figures for.
"""

from datetime import datetime, time
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from wan_pipelines.clocks import ClockTime, TimeZone
from wan_pipelines.records import Record


class NightWindow(Record):
    """The hours in which on-demand GPUs may do what can wait."""

    begins: ClockTime = Field(description="When it begins.", examples=["22:00"])
    ends: ClockTime = Field(
        description="When it ends; before `begins` for one over midnight.", examples=["06:00"]
    )
    time_zone: TimeZone = Field(
        default="UTC", description="IANA time zone of both.", examples=["Europe/Berlin"]
    )

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.begins == self.ends:
            raise ValueError("it ends as it begins: write 00:00 to 23:59, or no `night` at all")
        return self

    def is_open(self, now: float) -> bool:
        """Is that moment, in seconds since 1970, within it?"""
        local = datetime.fromtimestamp(now, ZoneInfo(self.time_zone)).time()
        begins, ends = time.fromisoformat(self.begins), time.fromisoformat(self.ends)
        if begins <= ends:
            return begins <= local < ends
        return local >= begins or local < ends


class Scheduling(Record):
    """Whose shards begin first where GPUs are scarce."""

    half_life_hours: float = Field(
        default=1.0,
        ge=0.01,
        le=10_000,
        description="After so long half of what a tenant was served is forgotten: longer evens out "
        "more of the past, shorter treats tenants as they stand now.",
    )
    ageing_minutes: float = Field(
        default=15,
        ge=0.01,
        le=1e9,
        description="A tenant that waits for so long while nothing of it is rendered goes ahead by "
        "one priority class, once for each such time; in the end it goes first.",
    )
    priority_ageing_hours: float = Field(
        default=4,
        gt=0,
        description="Of a priority of which nothing of a tenant's has begun for so long, one shard "
        "goes before all else of that tenant's, once for each such time.",
    )
    deadline_safety: float = Field(
        default=2,
        ge=1,
        le=1000,
        description="What can wait leaves spot capacity when what is left of it would take the "
        "rest of its time, divided by this.",
    )
    night: NightWindow | None = Field(
        default=None, description="When on-demand GPUs may do what can wait; empty: never."
    )

    @property
    def half_life_seconds(self) -> float:
        return self.half_life_hours * 3600

    @property
    def ageing_seconds(self) -> float:
        return self.ageing_minutes * 60

    @property
    def priority_ageing_seconds(self) -> float:
        return self.priority_ageing_hours * 3600
