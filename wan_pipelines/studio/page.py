"""The pages of editions, from the ledger into the store."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from wan_pipelines.encoding.renditions import POSTER
from wan_pipelines.ledger.editions import all_editions
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import EditionTotals, ShotView
from wan_pipelines.pages.render import render_edition_page, render_index_page
from wan_pipelines.pages.view import IndexEntry
from wan_pipelines.storage.keys import page_key, tenant_page_key
from wan_pipelines.studio.edition_view import edition_view, index_entry
from wan_pipelines.studio.sheet import poster_sheet
from wan_pipelines.studio.studio import Studio

SHEET = "posters.webp"
ENTRY = "entry.json"
INDEX, COSTS = "index.html", "costs.html"
EDITIONS_ON_INDEX = 50


@dataclass(frozen=True, slots=True)
class Pages:
    """Keys of what is written for an edition.

    `entry` is what the tenant's page of all editions, the `index`, says of this one: kept beside
    the page, so that one edition's page is written without looking into all others.
    """

    page: str
    sheet: str
    entry: str
    index: str


def pages_of(edition: EditionKey) -> Pages:
    """Where the pages of an edition lie, written or not."""
    names = (edition.tenant, edition.campaign, edition.edition)
    return Pages(
        page=page_key(*names),
        sheet=page_key(*names, SHEET),
        entry=page_key(*names, ENTRY),
        index=tenant_page_key(edition.tenant, INDEX),
    )


def write_pages(
    studio: Studio, edition: EditionKey, shots: Sequence[ShotView], totals: EditionTotals
) -> Pages:
    """Write the edition's page, and the tenant's page of all editions."""
    pages, store = pages_of(edition), studio.store
    view = edition_view(studio, edition, shots, totals, pages.index)
    store.put_bytes(pages.page, render_edition_page(view).encode())
    entry = index_entry(studio, edition, shots, view.totals, pages.index)
    store.put_bytes(pages.entry, _ENTRIES.dump_json(entry))
    _write_index(studio, edition.tenant)
    return pages


def link_costs(studio: Studio, tenant: str) -> None:
    """Let the tenant's page of all editions, if there is one, point to that of its costs."""
    if studio.store.stat(tenant_page_key(tenant, INDEX)) is not None:
        _write_index(studio, tenant)


def write_sheet(studio: Studio, edition: EditionKey, shots: Sequence[ShotView]) -> None:
    """Write the edition's sheet of posters, which only new videos change."""
    posters = [file.key for shot in shots for file in shot.renditions if file.name == POSTER]
    studio.store.put_bytes(pages_of(edition).sheet, poster_sheet(studio.store, posters))


def _write_index(studio: Studio, tenant: str) -> None:
    has_costs = studio.store.stat(tenant_page_key(tenant, COSTS)) is not None
    page = render_index_page(_entries(studio, tenant), costs_href=COSTS if has_costs else "")
    studio.store.put_bytes(tenant_page_key(tenant, INDEX), page.encode())


_ENTRIES = TypeAdapter(IndexEntry)


def _entries(studio: Studio, tenant: str) -> Iterator[IndexEntry]:
    """The tenant's latest editions that have a page, the very latest first.

    An entry that another version of this program wrote, and this one cannot read, is left out
    until the edition's page is written again.
    """
    for edition in all_editions(studio.ledger, tenant)[:EDITIONS_ON_INDEX]:
        key = pages_of(edition).entry
        if studio.store.stat(key) is not None:
            with suppress(ValidationError):
                yield _ENTRIES.validate_json(studio.store.read_bytes(key))
