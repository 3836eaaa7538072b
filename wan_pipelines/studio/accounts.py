"""The settings written into the ledger, where they bind every process."""

from collections.abc import Sequence
from datetime import UTC, datetime

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.money import micro_usd
from wan_pipelines.ledger.prices import Price, declared_price, publish_prices
from wan_pipelines.ledger.tenants import Plan, Tenant
from wan_pipelines.ledger.tenants import configure as configure_tenants
from wan_pipelines.studio.declared_budgets import ledger_budget
from wan_pipelines.studio.gpu_class_settings import GpuClass
from wan_pipelines.studio.settings import Settings

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


def configure(ledger: Ledger, settings: Settings) -> None:
    """Plans, tenants and prices of the ledger become those of the settings.

    A price that has changed holds from now on; what was charged before keeps its price. So does
    a price that somebody has set in the ledger, until the settings change.
    """
    now = datetime.now(UTC)
    plans = [Plan(name, further=plan.limits) for name, plan in settings.plans.items()]
    tenants = [
        Tenant(
            name,
            tenant.plan,
            tenant.time_zone,
            degradation=tenant.degradation,
            budget=ledger_budget(tenant.budget_per_month),
        )
        for name, tenant in settings.tenants.items()
    ]
    configure_tenants(ledger, plans, tenants, now=now)
    for name, gpu_class in settings.gpu_classes.items():
        publish_prices(ledger, _prices(ledger, name, gpu_class, now), now=now)


def _prices(ledger: Ledger, name: str, gpu_class: GpuClass, now: datetime) -> Sequence[Price]:
    """What the settings say of a class that they did not say before."""
    market = gpu_class.market
    if gpu_class.price_usd_per_hour is None:
        return [
            Price(name, micro_usd(price.usd_per_hour), price.valid_from, market)
            for price in gpu_class.prices
        ]
    wanted = micro_usd(gpu_class.price_usd_per_hour)
    declared = declared_price(ledger, name, now, market)
    if declared and declared.micro_usd_per_gpu_hour == wanted:
        return []
    return [Price(name, wanted, now if declared else ALWAYS, market)]
