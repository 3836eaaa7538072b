"""What the ledger knows of an edition, in the words of the pages."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import TypedDict

from wan_pipelines.campaigns.screening import load_rules
from wan_pipelines.encoding.renditions import POSTER
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.amounts import Measure
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import seconds_of
from wan_pipelines.ledger.quotas import quotas_left
from wan_pipelines.ledger.remainders import QuotaLeft
from wan_pipelines.ledger.reports import EditionTotals, ShotView, run_costs
from wan_pipelines.pages import view
from wan_pipelines.pages.links import relative_href
from wan_pipelines.storage.keys import page_key
from wan_pipelines.studio.shot_view import shot_view
from wan_pipelines.studio.studio import Studio

POSTERS_ON_INDEX = 12
RUNS_SHOWN = 5
UNITS: dict[Measure, tuple[str, int]] = {
    "shots": ("videos", 1),
    "gpu_microseconds": ("GPU-seconds", 1_000_000),
    "micro_usd": ("US cents", 10_000),
}
RUN_DIGITS = 8


class Heading(TypedDict):
    """What the page of an edition and its entry on the tenant's page have in common."""

    campaign: str
    title: str
    description: str
    edition: str
    tenant: str
    user: str
    release: str
    tier: str
    generated_at: datetime


def edition_view(
    studio: Studio,
    edition: EditionKey,
    shots: Sequence[ShotView],
    totals: EditionTotals,
    index: str,
) -> view.EditionView:
    """Everything on the page of one edition; addresses are relative to the page."""
    page = page_key(edition.tenant, edition.campaign, edition.edition)
    shown = _shown(edition, shots, page)
    return view.EditionView(
        **_heading(studio, edition, shots),
        shots=shown,
        totals=_totals(shown, totals),
        quotas=_quotas(studio, edition),
        runs=_runs(studio, edition),
        index_href=relative_href(page, index),
    )


def index_entry(
    studio: Studio,
    edition: EditionKey,
    shots: Sequence[ShotView],
    totals: view.Totals,
    index: str,
) -> view.IndexEntry:
    """An edition on the tenant's page, with the totals of its own; addresses are relative to it."""
    page = page_key(edition.tenant, edition.campaign, edition.edition)
    with_poster = islice(filter(_has_poster, shots), POSTERS_ON_INDEX)
    return view.IndexEntry(
        **_heading(studio, edition, shots),
        href=relative_href(index, page),
        totals=totals,
        posters=tuple(_poster(shot) for shot in _shown(edition, with_poster, index)),
    )


def _heading(studio: Studio, edition: EditionKey, shots: Sequence[ShotView]) -> Heading:
    title, description = _titles(studio, edition.campaign)
    return Heading(
        campaign=edition.campaign,
        title=title,
        description=description,
        edition=edition.edition,
        tenant=edition.tenant,
        user=edition.user,
        release=_listed(shot.request["release"] for shot in shots),
        tier=_listed(shot.tier for shot in shots),
        generated_at=datetime.now(UTC),
    )


def _titles(studio: Studio, campaign: str) -> tuple[str, str]:
    """Title and description of the brief.

    Prompts typed into the launchpad have none; one that is being edited may not be readable now,
    which is no reason not to show other campaigns.
    """
    if (studio.folder_of(campaign) / "defs.yaml").is_file():
        with suppress(InputError):
            brief = studio.brief(campaign)
            return brief.title, brief.description
    return campaign, ""


def _listed(values: Iterable[str]) -> str:
    """Each value once, in order of first appearance."""
    return ", ".join(dict.fromkeys(values))


def _shown(edition: EditionKey, shots: Iterable[ShotView], page: str) -> tuple[view.ShotView, ...]:
    rules = load_rules()
    return tuple(shot_view(edition.tenant, shot, page, rules) for shot in shots)


def _totals(shots: Sequence[view.ShotView], totals: EditionTotals) -> view.Totals:
    return view.Totals(
        counts=view.count_states(shots),
        gpu_seconds=seconds_of(totals.gpu_microseconds),
        paid_micro_usd=totals.cost_micro_usd,
        spending=tuple(
            view.Spending(kind, amount) for kind, amount in totals.micro_usd_by_kind.items()
        ),
    )


def _quotas(studio: Studio, edition: EditionKey) -> tuple[view.QuotaLine, ...]:
    found = quotas_left(studio.ledger, edition.tenant, edition.user, now=datetime.now(UTC))
    return tuple(_quota_line(quota) for quota in found if quota.limit is not None)


def _quota_line(quota: QuotaLeft) -> view.QuotaLine:
    """Seconds of GPU time and cents, for a page has room for whole numbers."""
    unit, size = UNITS[quota.measure]
    whose = quota.user if quota.scope == "user_day" else quota.tenant
    return view.QuotaLine(
        label=f"{whose}, {unit} {'a month' if quota.scope == 'tenant_month' else 'a day'}",
        used=quota.used // size,
        limit=(quota.limit or 0) // size,
        unit=unit,
        resets_at=quota.resets_at,
    )


def _runs(studio: Studio, edition: EditionKey) -> tuple[view.Link, ...]:
    """The latest runs that rendered for the edition, if the settings say where Dagster's UI is."""
    dagster = studio.settings.dagster
    if dagster is None:
        return ()
    runs = run_costs(studio.ledger, edition.tenant, edition=edition)
    return tuple(
        view.Link(f"Run {run.run_id[:RUN_DIGITS]}", f"{dagster}/runs/{run.run_id}")
        for run in reversed(runs[-RUNS_SHOWN:])
    )


def _has_poster(shot: ShotView) -> bool:
    return any(file.name == POSTER for file in shot.renditions)


def _poster(shot: view.ShotView) -> view.PosterView:
    return view.PosterView(
        shot=shot.name,
        href=shot.poster_href,
        width=shot.width,
        height=shot.height,
        preview_href=shot.preview_href,
    )
