"""Times of the day and time zones, as people write them into YAML."""

from datetime import time
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from wan_pipelines.hints import did_you_mean


def _shown_by_clocks(words: str) -> str:
    time.fromisoformat(words)
    return words


def _known(name: str) -> str:
    if name not in _all():
        raise ValueError(f"There is no such time zone. {did_you_mean(name, _all())}")
    return name


@cache
def _all() -> frozenset[str]:
    return frozenset(available_timezones())


ClockTime = Annotated[str, Field(pattern=r"^\d\d:\d\d$"), AfterValidator(_shown_by_clocks)]
"""Hours and minutes, such as 08:00."""
TimeZone = Annotated[str, AfterValidator(_known)]
"""The IANA name of a time zone, such as Europe/Berlin."""
