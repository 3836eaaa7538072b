"""Reserved GPUs, as an environment declares them."""

from decimal import Decimal

from pydantic import Field, model_validator

from wan_pipelines.ledger.fleets import Fleet
from wan_pipelines.ledger.money import micro_usd
from wan_pipelines.records import Record
from wan_pipelines.studio.price_settings import Moment


class Reserved(Record):
    """GPUs that are paid whether they are used or not."""

    gpu_class: str = Field(description="One of gpu_classes.", examples=["h100"])
    gpus: int = Field(ge=1, le=100_000, description="GPUs, of all nodes together.", examples=[8])
    since: Moment = Field(description="From here on (UTC).", examples=["2026-11-01"])
    until: Moment | None = Field(
        default=None, description="Until here; empty: there is no end yet."
    )
    usd_per_gpu_hour: Decimal | None = Field(
        default=None,
        ge=0,
        le=10_000,
        decimal_places=6,
        description="What a GPU costs an hour, used or not.",
        examples=["1.99"],
    )
    usd_per_month: Decimal | None = Field(
        default=None,
        ge=0,
        le=1_000_000_000,
        decimal_places=6,
        description="What all of them cost a calendar month, in the place of an hourly price.",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> "Reserved":
        if (self.usd_per_gpu_hour is None) == (self.usd_per_month is None):
            raise ValueError("give either usd_per_gpu_hour or usd_per_month")
        if self.until is not None and self.until <= self.since:
            raise ValueError("until is not after since")
        return self

    def fleet(self, name: str) -> Fleet:
        """In the ledger's units."""
        hourly, monthly = self.usd_per_gpu_hour, self.usd_per_month
        return Fleet(
            name,
            self.gpu_class,
            self.gpus,
            self.since,
            self.until,
            None if hourly is None else micro_usd(hourly),
            None if monthly is None else micro_usd(monthly),
        )
