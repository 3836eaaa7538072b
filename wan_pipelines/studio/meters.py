"""What Prometheus scrapes of a deployment: the ledger, which survives every restart."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.budgets import BudgetKey, BudgetStanding
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports import ClassGauges, LedgerGauges, ledger_gauges
from wan_pipelines.ledger.whose import House
from wan_pipelines.studio.budgets import standings

if TYPE_CHECKING:
    from prometheus_client.metrics_core import GaugeMetricFamily

log = logging.getLogger(__name__)

OF_CLASSES: Final[Sequence[tuple[str, str, Callable[[ClassGauges], float]]]] = (
    (
        "wan_paid_usd",
        "What workers were paid, as far as they are settled.",
        lambda each: float(usd(each.paid_micro_usd)),
    ),
    ("wan_workers", "Workers that are paid at the moment.", lambda each: each.workers),
    (
        "wan_worker_silence_seconds",
        "Since the last sign of life of the worker that is silent longest.",
        lambda each: each.longest_silence_seconds,
    ),
    (
        "wan_worker_step_age_seconds",
        "Since the last step of the worker that has stood longest.",
        lambda each: each.oldest_step_seconds,
    ),
)

OF_BUDGETS: Final[Sequence[tuple[str, str, Callable[[BudgetStanding], int]]]] = (
    ("wan_budget_usd", "What may be spent, of an edition or a month.", lambda it: it.budget.whole),
    ("wan_budget_paid_usd", "What was paid of a budget.", lambda it: it.paid),
    ("wan_budget_reserved_usd", "What is reserved of a budget.", lambda it: it.reserved),
)


@dataclass(frozen=True, slots=True)
class LedgerCollector:
    """Asks the ledger each time it is asked. One that does not answer is a figure, not an error."""

    ledger: Ledger

    def collect(self) -> "Iterator[GaugeMetricFamily]":
        found = self._gauges()
        yield gauge("wan_ledger_up", "1 if the ledger answers.", [((), int(found is not None))])
        if found:
            gauges, budgets = found
            yield from _families(gauges)
            yield from _of_budgets(budgets)

    def _gauges(self) -> tuple[LedgerGauges, Sequence[BudgetStanding]] | None:
        now = datetime.now(UTC)
        try:
            gauges = ledger_gauges(self.ledger, now=now)
            return gauges, standings(self.ledger, House("metrics"), now)
        except LedgerError as error:
            log.warning("Nothing can be told of the ledger: %s", error)
            return None


def _families(found: LedgerGauges) -> "Iterator[GaugeMetricFamily]":
    takes = [((each.release, each.gpu_class, each.outcome), each.takes) for each in found.takes]
    yield gauge("wan_takes", "Takes.", takes, "release", "gpu_class", "outcome")
    waiting = [((tenant,), shots) for tenant, shots in found.waiting_shots]
    yield gauge("wan_waiting_shots", "Shots that are admitted and not done.", waiting, "tenant")
    for name, about, figure in OF_CLASSES:
        values = [((each.gpu_class,), figure(each)) for each in found.classes]
        yield gauge(name, about, values, "gpu_class")


def _of_budgets(found: Sequence[BudgetStanding]) -> "Iterator[GaugeMetricFamily]":
    for name, about, figure in OF_BUDGETS:
        values = [(each.key, float(usd(figure(each)))) for each in found]
        yield gauge(name, about, values, *BudgetKey._fields)


def gauge(
    name: str, about: str, values: Iterable[tuple[Sequence[str], float]], *labels: str
) -> "GaugeMetricFamily":
    from prometheus_client.metrics_core import GaugeMetricFamily

    family = GaugeMetricFamily(name, about, labels=labels)
    for of, value in values:
        family.add_metric(of, value)
    return family
