"""How right forecasts are, for Prometheus."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.forecasts import Accuracy, accuracy, outcomes
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.meters import gauge

if TYPE_CHECKING:
    from prometheus_client.metrics_core import GaugeMetricFamily

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ForecastCollector:
    """Of the latest forecasts of all tenants that have ended; asks the ledger each time."""

    ledger: Ledger

    def collect(self) -> "Iterator[GaugeMetricFamily]":
        found = self._accuracy()
        for name, about, figure in (
            ("wan_forecast_ended", "Forecasts of editions that have ended.", lambda it: it.ended),
            ("wan_forecast_bias_ratio", "Mean error, of what was expected.", lambda it: it.bias),
            ("wan_forecast_error_ratio", "Mean size of the error.", lambda it: it.error),
            ("wan_forecast_held_ratio", "The share that held.", lambda it: it.held),
        ):
            values = [((each.release, each.tier), figure(each)) for each in found]
            yield gauge(name, about, values, "release", "tier")

    def _accuracy(self) -> tuple[Accuracy, ...]:
        try:
            return accuracy(outcomes(self.ledger, House("metrics")))
        except LedgerError as error:
            log.warning("Nothing can be told of forecasts: %s", error)
            return ()
