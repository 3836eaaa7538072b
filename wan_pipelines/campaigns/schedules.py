"""When a campaign renders by itself: a cron expression in a time zone."""

import re
from datetime import UTC, datetime
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from wan_pipelines.clocks import Day, TimeZone
from wan_pipelines.records import Record

# The standard's numbers, names, lists, ranges and steps: not L, W or #, which few agree on.
_FIELD = re.compile(r"([0-9*,/-]|[A-Za-z]{3})+")
_FIELDS = "minute hour day-of-month month day-of-week"


def _readable_cron(cron: str) -> str:
    fields = cron.split()
    if len(fields) != 5:
        raise ValueError(f"It has {len(fields)} fields, not the five: {_FIELDS}")
    for field in fields:
        if not _FIELD.fullmatch(field):
            raise ValueError(f"'{field}' is not a number, name, list, range or step")
    try:
        CronSim(cron, datetime.now(UTC))
    except CronSimError as error:
        raise ValueError(f"{error}. The five fields are: {_FIELDS}") from error
    return " ".join(fields)


class Schedule(Record):
    """A campaign's own clock: each tick begins an edition."""

    cron: Annotated[str, AfterValidator(_readable_cron)] = Field(
        description="When an edition begins, on the clocks of the time zone: minute, hour, "
        "day of month, month, day of week.",
        examples=["0 3 * * *", "30 6 * * mon-fri"],
    )
    time_zone: TimeZone = Field(
        description="IANA time zone whose clocks the cron expression means; it follows its "
        "daylight saving time.",
        examples=["Europe/Berlin", "UTC"],
    )
    start: Day = Field(
        description="First day on which an edition may begin; editions since then can be "
        "rendered after the fact.",
        examples=["2026-11-01"],
    )
