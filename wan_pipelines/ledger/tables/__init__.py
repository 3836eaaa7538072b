"""The tables, one module a subject; importing the package registers all of them."""

from wan_pipelines.ledger.tables.accounting import (
    CorrectedChargeRow,
    CorrectionRow,
    IdleEntryRow,
)
from wan_pipelines.ledger.tables.artifacts import ArtifactRow
from wan_pipelines.ledger.tables.base import Base
from wan_pipelines.ledger.tables.budgets import BudgetNoticeRow, BudgetRow
from wan_pipelines.ledger.tables.editions import EditionRow, EditionShotRow, ShotRow
from wan_pipelines.ledger.tables.forecasts import ForecastRow
from wan_pipelines.ledger.tables.invoices import (
    InvoiceLineRow,
    InvoiceRow,
    InvoiceWithdrawalRow,
)
from wan_pipelines.ledger.tables.ladder import DescentRow, FootholdRow
from wan_pipelines.ledger.tables.limits import LimitChangeRow, PlanLimitRow
from wan_pipelines.ledger.tables.reviews import ReviewRow
from wan_pipelines.ledger.tables.spending import (
    ChargeRow,
    PriceRow,
    QuotaEntryRow,
    SpanRow,
    WorkerRow,
)
from wan_pipelines.ledger.tables.takes import ForgettingRow, RenditionRow, TakeRow
from wan_pipelines.ledger.tables.tenants import PlanRow, TenantRow, UserRow
from wan_pipelines.ledger.tables.turns import ServedRow, TurnRow

__all__ = [
    "ArtifactRow",
    "Base",
    "BudgetNoticeRow",
    "BudgetRow",
    "ChargeRow",
    "CorrectedChargeRow",
    "CorrectionRow",
    "DescentRow",
    "EditionRow",
    "EditionShotRow",
    "FootholdRow",
    "ForecastRow",
    "ForgettingRow",
    "IdleEntryRow",
    "InvoiceLineRow",
    "InvoiceRow",
    "InvoiceWithdrawalRow",
    "LimitChangeRow",
    "PlanLimitRow",
    "PlanRow",
    "PriceRow",
    "QuotaEntryRow",
    "RenditionRow",
    "ReviewRow",
    "ServedRow",
    "ShotRow",
    "SpanRow",
    "TakeRow",
    "TenantRow",
    "TurnRow",
    "UserRow",
    "WorkerRow",
]
