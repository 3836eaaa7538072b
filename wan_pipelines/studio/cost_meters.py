"""What Prometheus scrapes of cost targets: what videos of the last day came to, and how many met
theirs.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.money import micro_usd, usd
from wan_pipelines.ledger.reports.spending_rows import COLUMNS, MEASURES, spending
from wan_pipelines.ledger.whose import House
from wan_pipelines.pages.costs import quotient
from wan_pipelines.studio.cost_settings import CostSettings, CostTarget
from wan_pipelines.studio.cost_targets import Row, shared
from wan_pipelines.studio.meters import gauge

if TYPE_CHECKING:
    from prometheus_client.metrics_core import GaugeMetricFamily

log = logging.getLogger(__name__)

WINDOW: Final = timedelta(days=1)
LOOKS_EVERY_SECONDS: Final = 300.0
NAMES: Final = (*COLUMNS["render_key"], *MEASURES)


@dataclass(slots=True)
class Tally:
    """What videos under a target came to so far, and how many cost no more than it themselves."""

    target: CostTarget
    videos: int = 0
    within: int = 0
    paid_micro_usd: int = 0

    @property
    def target_micro_usd(self) -> int:
        return micro_usd(self.target.usd_per_video)

    def add(self, video: Row) -> None:
        """Count a video with all that its takes cost, accepted or not."""
        paid = video["micro_usd"]
        self.paid_micro_usd += paid
        if video["videos"]:
            self.videos += 1
            self.within += paid <= self.target_micro_usd


FIGURES: Final[tuple[tuple[str, str, Callable[[Tally], float]], ...]] = (
    (
        "wan_cost_target_usd",
        "What a video may cost on average.",
        lambda each: float(usd(each.target_micro_usd)),
    ),
    (
        "wan_cost_per_video_usd",
        "What was paid for each accepted video of workers that began in the last 24 hours.",
        lambda each: float(usd(quotient(each.paid_micro_usd, each.videos) or 0)),
    ),
    ("wan_costed_videos", "Accepted videos that fall under a target.", lambda each: each.videos),
    (
        "wan_videos_within_cost_target_ratio",
        "The part of them whose own takes cost no more than the target.",
        lambda each: each.within / max(1, each.videos),
    ),
)


class CostTargetCollector:
    """Tells what the last look found. To look takes longer than a scrape should: a thread of its
    own does so every `LOOKS_EVERY_SECONDS`.
    """

    def __init__(self, ledger: Ledger, settings: CostSettings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._known: tuple[Tally, ...] = ()

    def collect(self) -> "Iterator[GaugeMetricFamily]":
        known = self._known
        for name, about, figure in FIGURES:
            yield gauge(
                name, about, [((each.target.name,), figure(each)) for each in known], "target"
            )

    def look(self) -> None:
        """Add up the last day. Where the ledger does not answer, what is known stays as it is."""
        try:
            self._known = tallies(self._videos(datetime.now(UTC)), self._settings)
        except LedgerError as error:
            log.warning("Nothing new can be told of costs: %s", error)

    def _videos(self, now: datetime) -> Iterator[Row]:
        everybody = House("metrics")
        for some in spending(self._ledger, everybody, now - WINDOW, now, detail="render_key"):
            yield from (dict(zip(NAMES, row, strict=True)) for row in some)


def tallies(videos: Iterable[Row], settings: CostSettings) -> tuple[Tally, ...]:
    """As `cost_targets.verdicts`, of any number of videos: memory holds a figure a target.

    A row has all takes of a video, or, without a render key, what belongs to no take.
    """
    found: dict[CostTarget, Tally] = {}
    nobodys = 0
    for video in videos:
        if video["render_key"] is None:
            nobodys += video["micro_usd"]
            continue
        lines = min(video["width"], video["height"])
        target = settings.target(release=video["release"], tier=video["tier"], lines=lines)
        if target:
            found.setdefault(target, Tally(target)).add(video)
    own = [each.paid_micro_usd for each in found.values()]
    for each, share in zip(found.values(), shared(nobodys, own), strict=True):
        each.paid_micro_usd += share
    return tuple(found.values())
