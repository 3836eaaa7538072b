"""When an edition shall be finished, counted from its launch."""

from datetime import UTC, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from wan_pipelines.clocks import ClockTime, TimeZone
from wan_pipelines.records import Record


class FinishBy(Record):
    """So many hours after the launch, or the next time that clocks show the time."""

    hours: float | None = Field(
        default=None, gt=0, le=24 * 366, description="After the launch.", examples=[12]
    )
    time: ClockTime | None = Field(
        default=None, description="The first such time after the launch.", examples=["08:00"]
    )
    time_zone: TimeZone = Field(
        default="UTC", description="IANA time zone of the time.", examples=["Europe/Berlin"]
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.hours is None) == (self.time is None):
            raise ValueError("Give either `hours` or a `time`")
        return self

    def after(self, launched: datetime) -> datetime:
        """The moment, in UTC."""
        if self.hours is not None:
            return launched + timedelta(hours=self.hours)
        assert self.time is not None
        local = launched.astimezone(ZoneInfo(self.time_zone))
        today = datetime.combine(local, time.fromisoformat(self.time), local.tzinfo)
        due = today if today > local else today + timedelta(days=1)
        return due.astimezone(UTC)
