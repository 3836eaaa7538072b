"""What Prometheus scrapes of cost targets: what videos of the last day came to, and how many met
theirs.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports.spending_rows import COLUMNS, MEASURES, spending
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.cost_settings import CostSettings
from wan_pipelines.studio.cost_targets import Row, Verdict, verdicts
from wan_pipelines.studio.meters import gauge

if TYPE_CHECKING:
    from prometheus_client.metrics_core import GaugeMetricFamily

log = logging.getLogger(__name__)

WINDOW: Final = timedelta(days=1)
KEPT_SECONDS: Final = 300.0
"""So long the figures stay as they are: to add up a day takes longer than a scrape should."""
NAMES: Final = (*COLUMNS["take"], *MEASURES)

FIGURES: Final[tuple[tuple[str, str, Callable[[Verdict], float]], ...]] = (
    (
        "wan_cost_target_usd",
        "What a video may cost on average.",
        lambda each: float(usd(each.target_micro_usd)),
    ),
    (
        "wan_cost_per_video_usd",
        "What was paid for each accepted video of workers that began in the last 24 hours.",
        lambda each: float(usd(each.each_micro_usd or 0)),
    ),
    ("wan_costed_videos", "Accepted videos that fall under a target.", lambda each: each.videos),
    (
        "wan_videos_within_cost_target_ratio",
        "The part of them whose own takes cost no more than the target.",
        lambda each: each.within / max(1, each.videos),
    ),
)


class CostTargetCollector:
    """Adds up the last day at most every five minutes."""

    def __init__(self, ledger: Ledger, settings: CostSettings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._known: tuple[Verdict, ...] = ()
        self._stale_at = -1.0

    def collect(self) -> "Iterator[GaugeMetricFamily]":
        if monotonic() >= self._stale_at:
            self._look()
        for name, about, figure in FIGURES:
            values = [((each.target.name,), figure(each)) for each in self._known]
            yield gauge(name, about, values, "target")

    def _look(self) -> None:
        """What is known stays as it was where the ledger does not answer."""
        try:
            self._known = verdicts(self._takes(datetime.now(UTC)), self._settings)
            self._stale_at = monotonic() + KEPT_SECONDS
        except LedgerError as error:
            log.warning("Nothing new can be told of costs: %s", error)

    def _takes(self, now: datetime) -> Iterator[Row]:
        everybody = House("metrics")
        for some in spending(self._ledger, everybody, now - WINDOW, now, detail="take"):
            yield from (dict(zip(NAMES, row, strict=True)) for row in some)
