"""Invoices, as an environment declares them: layouts of files, and whose lines are which class."""

from pydantic import Field

from wan_pipelines.ledger.invoices.reading import FocusColumn, Layout
from wan_pipelines.ledger.reconciliation.billing import ClassRule
from wan_pipelines.records import Record


class Invoiced(Record):
    """By what the GPUs of a class are recognised on invoices: any of these is enough."""

    skus: tuple[str, ...] = Field(
        default=(), description="SKUs (FOCUS: SkuId).", examples=[["gpu-h100-sxm"]]
    )
    resource_types: tuple[str, ...] = Field(
        default=(), description="Types (FOCUS: ResourceType).", examples=[["p5.48xlarge"]]
    )
    tags: dict[str, str] = Field(
        default={}, description="Tags, all of them (FOCUS: Tags).", examples=[{"pool": "h100"}]
    )
    gpus_per_unit: int = Field(
        default=1, ge=1, description="GPUs of a unit: 8 where hours are those of a node of eight."
    )

    def rule(self, gpu_class: str) -> ClassRule:
        """In the ledger's terms."""
        return ClassRule(
            gpu_class,
            frozenset(self.skus),
            frozenset(self.resource_types),
            tuple(self.tags.items()),
            self.gpus_per_unit,
        )


class InvoiceLayout(Record):
    """How a provider's CSV says what FOCUS has columns for.

    Without a column for ChargePeriodEnd, each line is about a whole day (UTC).
    """

    columns: dict[FocusColumn, str] = Field(
        default={},
        description="Columns that are called otherwise than in FOCUS, by their names there.",
        examples=[{"BilledCost": "amount", "ChargePeriodStart": "date"}],
    )
    fixed: dict[FocusColumn, str] = Field(
        default={},
        description="What is the same on every line, and has no column or an empty cell.",
        examples=[{"BillingCurrency": "USD", "ChargeCategory": "Usage"}],
    )

    def layout(self, name: str) -> Layout:
        """In the ledger's terms."""
        return Layout(name, self.columns, self.fixed)
