"""What GPUs cost, as an environment declares it: prices from a moment on."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from wan_pipelines.clocks import near
from wan_pipelines.records import Record


def _written_out(value: Any) -> Any:
    """Pydantic would take digits alone for seconds since 1970, and so 2026 for that New Year."""
    if isinstance(value, (int, float)) or (isinstance(value, str) and not _DAY.match(value)):
        raise ValueError("write a day such as 2026-12-01")
    return value


def _in_utc(moment: datetime) -> datetime:
    near(moment.date())
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


_DAY = re.compile(r"\s*\d{4}-\d")

Moment = Annotated[datetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
"""A day, or a day and a time; without a zone it is UTC."""

Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=6)]


class PriceFrom(Record):
    """A price that holds until the next one begins."""

    usd_per_hour: Usd = Field(description="One GPU for one hour.", examples=["2.69"])
    valid_from: Moment = Field(
        description="From here on work begins at it; without a zone it is UTC.",
        examples=["2026-12-01"],
    )
