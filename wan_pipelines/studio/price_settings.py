"""What GPUs cost, as an environment declares it: prices from a moment on."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from wan_pipelines.records import Record


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A day, or a day and a time; without a zone it is UTC."""

Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]


class PriceFrom(Record):
    """A price that holds until the next one begins."""

    usd_per_hour: Usd = Field(description="One GPU for one hour.", examples=["2.69"])
    valid_from: Moment = Field(
        description="From here on work begins at it; without a zone it is UTC.",
        examples=["2026-12-01"],
    )
