"""What an edition cost: a statement, shot by shot and run by run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wan_pipelines.ledger.forecasts import ForecastOutcome, outcomes
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import seconds_of
from wan_pipelines.ledger.money import usd
from wan_pipelines.ledger.reports import (
    EditionTotals,
    RunCost,
    ShotView,
    edition_shots_view,
    edition_totals,
    run_costs,
)
from wan_pipelines.reporting.files import as_text
from wan_pipelines.storage.keys import page_key
from wan_pipelines.studio.page import Pages, write_pages
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.workers import close_dead_workers

if TYPE_CHECKING:
    import pandas as pd

STATEMENT = "costs.csv"


@dataclass(frozen=True, slots=True)
class Statement:
    """The money of an edition; `runs` are those that rendered for it, settled or not, and
    `forecasts` what was expected of it, latest first.
    """

    edition: EditionKey
    shots: tuple[ShotView, ...]
    totals: EditionTotals
    runs: tuple[RunCost, ...]
    csv: str
    pages: Pages
    forecasts: tuple[ForecastOutcome, ...] = ()

    @property
    def open_workers(self) -> int:
        """Workers that are not settled yet, so that not all is charged."""
        return sum(run.open_workers for run in self.runs)

    @property
    def adds_up(self) -> bool:
        """Whether every micro-dollar that was paid is charged to something, and only once."""
        return all(run.paid_micro_usd == run.charged_micro_usd for run in self.runs)


def settle(studio: Studio, edition: EditionKey) -> Statement:
    """Write the edition's statement and bring its page up to date."""
    close_dead_workers(studio)
    shots = edition_shots_view(studio.ledger, edition)
    totals = edition_totals(studio.ledger, edition)
    runs = run_costs(studio.ledger, edition.tenant, edition=edition)
    csv = page_key(edition.tenant, edition.campaign, edition.edition, STATEMENT)
    studio.store.put_bytes(csv, shots_frame(shots).to_csv(index=False).encode())
    pages = write_pages(studio, edition, shots, totals)
    said = outcomes(studio.ledger, edition.tenant, edition=edition)
    return Statement(edition, shots, totals, runs, csv, pages, said)


def shots_frame(shots: tuple[ShotView, ...]) -> "pd.DataFrame":
    """One row a shot. Money is in exact decimal dollars, as text: a float would not add up."""
    import pandas as pd

    return pd.DataFrame(
        {
            "shot": [shot.shot for shot in shots],
            "state": [shot.state for shot in shots],
            "outcome": [shot.outcome or "" for shot in shots],
            "reused": [shot.reused for shot in shots],
            "attempts": [shot.attempts for shot in shots],
            "gpu_seconds": [seconds_of(shot.gpu_microseconds) for shot in shots],
            "cost_usd": [str(usd(shot.cost_micro_usd)) for shot in shots],
            "tier": [shot.tier for shot in shots],
            "release": [shot.request["release"] for shot in shots],
            "prompt": [as_text(shot.request["prompt"]) for shot in shots],
            "seed": [shot.request["seed"] for shot in shots],
            "render_key": [shot.render_key for shot in shots],
        }
    )
