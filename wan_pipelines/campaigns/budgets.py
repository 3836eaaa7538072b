"""Budgets: what may be spent, and what happens on the way there."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from wan_pipelines.records import Record

Part = Annotated[Decimal, Field(gt=0, le=10, decimal_places=3)]
ALL = Decimal(1)


class Budget(Record):
    """US dollars, and at which part of them something happens; 1 is all of them."""

    usd: Decimal = Field(
        gt=0,
        max_digits=14,
        decimal_places=6,
        description="What may be spent, in US dollars, loading and waiting included.",
        examples=["25.00"],
    )
    notify_at: tuple[Part, ...] = Field(
        default=(Decimal("0.8"), ALL),
        description="Parts of it from which on somebody is told, once each.",
        examples=[["0.5", "0.8", "1"]],
    )
    finish_at: Part | None = Field(
        default=ALL,
        description="The part of it that admits no shot which is expected to exceed it, and from "
        "which on none is begun; what runs is finished. Empty: renders on.",
        examples=["1"],
    )
    stop_at: Part | None = Field(
        default=None,
        description="The part of it at which shots that run are stopped at their next step, too; "
        "a raise lets them go on from their checkpoint. Empty: they are finished.",
        examples=["1.1"],
    )

    @model_validator(mode="after")
    def _stops_last(self) -> Self:
        if self.stop_at is not None and (self.finish_at is None or self.stop_at < self.finish_at):
            raise ValueError("`stop_at` comes at or after `finish_at`: give both, in this order")
        return self
