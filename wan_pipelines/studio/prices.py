"""What rendering costs here and now, as the price book says."""

from datetime import UTC, datetime

from wan_pipelines.ledger.prices import price_at
from wan_pipelines.studio.studio import Studio


def hourly_price(studio: Studio) -> int:
    """Micro-dollars that an hour of one GPU of the class that renders costs now.

    LedgerError when its first price has not begun yet.
    """
    name, rendering = studio.settings.gpu_class, studio.settings.rendering_class
    return price_at(studio.ledger, name, datetime.now(UTC), rendering.market).micro_usd_per_gpu_hour
