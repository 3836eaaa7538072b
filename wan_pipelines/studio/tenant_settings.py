"""Who pays, as an environment declares it."""

from pydantic import Field

from wan_pipelines.campaigns.budgets import Budget
from wan_pipelines.clocks import TimeZone
from wan_pipelines.ledger.descents import Degradation
from wan_pipelines.records import Record


class Tenant(Record):
    """Who pays."""

    plan: str = Field(description="One of the plans of this environment.", examples=["free"])
    time_zone: TimeZone = Field(default="UTC", description="Where the tenant's day begins.")
    degradation: Degradation = Field(
        default="exact_only",
        description="What becomes of a shot for which there is not the memory or the time: "
        "`allowed` draws it with less, as its release's ladder says, and marks it; with "
        "`exact_only` it fails.",
    )
    budget_per_month: Budget | None = Field(
        default=None,
        description="What all of its campaigns may cost a month together, in its time zone.",
        examples=[{"usd": "1000", "notify_at": ["0.5", "0.8", "1"], "stop_at": "1.05"}],
    )
