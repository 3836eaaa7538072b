"""The settings written into the ledger, where they bind every process."""

from datetime import UTC, datetime

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.money import micro_usd
from wan_pipelines.ledger.prices import Price, known_price, publish_prices
from wan_pipelines.ledger.tenants import Plan, Tenant
from wan_pipelines.ledger.tenants import configure as configure_tenants
from wan_pipelines.studio.settings import Settings

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


def configure(ledger: Ledger, settings: Settings) -> None:
    """Plans, tenants and prices of the ledger become those of the settings.

    A price that has changed holds from now on; what was charged before keeps its price.
    """
    now = datetime.now(UTC)
    plans = [Plan(name, further=plan.limits) for name, plan in settings.plans.items()]
    tenants = [
        Tenant(name, tenant.plan, tenant.time_zone, degradation=tenant.degradation)
        for name, tenant in settings.tenants.items()
    ]
    configure_tenants(ledger, plans, tenants, now=now)
    for name, gpu_class in settings.gpu_classes.items():
        wanted = micro_usd(gpu_class.price_usd_per_hour)
        known = known_price(ledger, name, now)
        if known is None or known.micro_usd_per_gpu_hour != wanted:
            publish_prices(ledger, [Price(name, wanted, now if known else ALWAYS)], now=now)
