"""GPU classes, as an environment declares them."""

from typing import Literal

from pydantic import Field, model_validator

from wan_pipelines.cluster.records import GpuPods
from wan_pipelines.engines.estimating.machines import Gpu
from wan_pipelines.ledger.prices import Market
from wan_pipelines.records import Record
from wan_pipelines.studio.invoice_settings import Invoiced
from wan_pipelines.studio.price_settings import PriceFrom, Usd


class GpuClass(Record):
    """A kind of machine that renders, and what an hour of one GPU of it costs."""

    price_usd_per_hour: Usd | None = Field(
        default=None,
        description="Price of one GPU for one hour, from the moment on that this is read; the CPU "
        "of a laptop counts as one. Or give `prices`.",
        examples=["2.69"],
    )
    prices: tuple[PriceFrom, ...] = Field(
        default=(),
        description="Prices with the days on which they begin, in the place of a single one.",
    )
    invoiced: Invoiced = Field(
        default=Invoiced(), description="By what the class is recognised on invoices."
    )
    device: Literal["cpu", "cuda"] = Field(default="cuda", description="Where torch computes.")
    gpu_count: int = Field(default=1, ge=1, le=1024, description="GPUs that one worker holds.")
    hardware: Gpu | None = Field(
        default=None,
        description="Data sheet that seconds and memory are estimated from; empty: the one of the "
        "class's own name. A CPU needs none.",
    )
    memory_gib: float | None = Field(
        default=None,
        gt=0,
        description="Memory a worker may use on one GPU; empty: the data sheet's, or the worker's "
        "part of this machine's where the CPU renders.",
        examples=[79],
    )
    kubernetes: GpuPods | None = Field(
        default=None, description="The pods that render on it, where the environment is a cluster."
    )

    @model_validator(mode="after")
    def _has_one_kind_of_price(self) -> "GpuClass":
        if (self.price_usd_per_hour is None) == (not self.prices):
            raise ValueError("give either price_usd_per_hour or prices")
        starts = [price.valid_from for price in self.prices]
        if len(set(starts)) < len(starts):
            raise ValueError("two of its prices begin at the same moment")
        return self

    @property
    def market(self) -> Market:
        """What its GPUs are paid as: spot where the provider may take the nodes back."""
        return "spot" if self.kubernetes and self.kubernetes.capacity == "spot" else "on-demand"
