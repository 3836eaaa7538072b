"""The pages of editions, from the ledger into the store."""

from collections.abc import Sequence
from dataclasses import dataclass

from wan_pipelines.ledger.editions import EditionKey, all_editions
from wan_pipelines.ledger.reports import EditionTotals, ShotView, edition_shots_view, edition_totals
from wan_pipelines.pages.render import render_edition_page, render_index_page
from wan_pipelines.storage.keys import page_key
from wan_pipelines.studio.edition_view import edition_view, index_entry
from wan_pipelines.studio.sheet import poster_sheet
from wan_pipelines.studio.studio import Studio

SHEET = "posters.webp"
INDEX = "index.html"
EDITIONS_ON_INDEX = 50


@dataclass(frozen=True, slots=True)
class Pages:
    """Keys of what was written for an edition."""

    page: str
    sheet: str
    index: str


def write_pages(
    studio: Studio, edition: EditionKey, shots: Sequence[ShotView], totals: EditionTotals
) -> Pages:
    """Write the edition's page, its sheet of posters, and the tenant's page of all editions."""
    pages = pages_of(edition)
    posters = [file.key for shot in shots for file in shot.renditions if file.name == "poster"]
    studio.store.put_bytes(pages.sheet, poster_sheet(studio.store, posters))
    text = render_edition_page(edition_view(studio, edition, shots, totals, pages.index))
    studio.store.put_bytes(pages.page, text.encode())
    write_index(studio, edition.tenant)
    return pages


def pages_of(edition: EditionKey) -> Pages:
    """Where the pages of an edition lie, written or not."""
    return Pages(
        page=page_key(edition.tenant, edition.campaign, edition.edition),
        sheet=page_key(edition.tenant, edition.campaign, edition.edition, SHEET),
        index=f"tenants/{edition.tenant}/{INDEX}",
    )


def write_index(studio: Studio, tenant: str) -> None:
    """Write the page of a tenant's latest editions, the very latest first."""
    index = f"tenants/{tenant}/{INDEX}"
    entries = []
    for edition in all_editions(studio.ledger, tenant)[:EDITIONS_ON_INDEX]:
        shots = edition_shots_view(studio.ledger, edition)
        totals = edition_totals(studio.ledger, edition)
        entries.append(index_entry(studio, edition, shots, totals, index))
    studio.store.put_bytes(index, render_index_page(entries).encode())
