"""Days, times of the day and time zones, as people write them."""

from datetime import date, time
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from wan_pipelines.hints import did_you_mean

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
"""Within these, days before and after and other time zones are still dates."""


def near(day: date) -> date:
    """The day itself; ValueError if it is too far away to reckon with."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"write a day from {FIRST_DAY} to {LAST_DAY}")
    return day


def parsed_day(words: str) -> date:
    """A day such as 2026-11-01; ValueError if it is none, or too far away."""
    try:
        return near(date.fromisoformat(words))
    except ValueError as error:
        raise ValueError(f"{words!r} is no day from {FIRST_DAY} to {LAST_DAY}") from error


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
Day = Annotated[date, AfterValidator(near)]
"""A day such as 2026-11-01."""
TimeZone = Annotated[str, AfterValidator(_known)]
"""The IANA name of a time zone, such as Europe/Berlin."""
