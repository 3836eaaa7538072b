"""The pages: one HTML file each, that needs nothing but the files it points to."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from math import log
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from wan_pipelines.pages import formats, links
from wan_pipelines.pages.bench import BenchView
from wan_pipelines.pages.costs import PARTS, CostsView
from wan_pipelines.pages.details import edition_details
from wan_pipelines.pages.inline import inlined
from wan_pipelines.pages.optimisation import KINDS, OptimisationView
from wan_pipelines.pages.states import WORDINGS
from wan_pipelines.pages.troubles import group_troubles
from wan_pipelines.pages.view import EditionView, IndexEntry, ShotView, add_totals

PIXEL_ART_BELOW = 320
"""Pictures narrower than this are scaled up pixel by pixel instead of being blurred."""

FRAMES = {"wide": 16 / 9, "landscape": 3 / 2, "square": 1.0, "portrait": 2 / 3, "tall": 9 / 16}
"""Frames a card can have, width to height; `cards.css` draws them."""


def render_edition_page(view: EditionView) -> str:
    """The page of one edition. Raises InputError where an address may not stand in a page."""
    return _render(
        "edition.html.j2",
        inlined=inlined(_EDITION_STYLES, _EDITION_SCRIPTS),
        view=view,
        frame=_frame(view.shots),
        troubles=group_troubles(view.shots),
        details=edition_details(view),
    )


def render_index_page(entries: Iterable[IndexEntry], *, costs_href: str = "") -> str:
    """The page of all editions, grouped by campaign; campaigns and editions keep their order.

    `costs_href` is where the page of the tenant's costs lies, if there is one.
    """
    listed = tuple(entries)
    places = {_campaign(entry): place for place, entry in reversed(list(enumerate(listed)))}
    ordered = sorted(listed, key=lambda entry: places[_campaign(entry)])
    campaigns = [list(group) for _, group in groupby(ordered, key=_campaign)]
    return _render(
        "index.html.j2",
        inlined=inlined(("base.css", "index.css"), ("index.js",)),
        campaigns=campaigns,
        totals=add_totals(entry.totals for entry in listed),
        editions=len(listed),
        costs_href=costs_href,
    )


def render_bench_page(view: BenchView) -> str:
    """The page of a benchmark of engines."""
    return _render("bench.html.j2", inlined=inlined(("base.css", "bench.css"), ()), view=view)


def render_costs_page(view: CostsView) -> str:
    """The page of what a period cost, of one tenant or of all."""
    styles = inlined(("base.css", "facts.css", "costs.css"), ())
    return _render("costs.html.j2", inlined=styles, view=view, parts=PARTS)


def render_optimisation_page(view: OptimisationView) -> str:
    """The page of what would have met the targets that an edition missed."""
    styles = inlined(("base.css", "facts.css", "costs.css"), ())
    return _render("optimisation.html.j2", inlined=styles, view=view, kinds=KINDS)


_EDITION_STYLES = ("base.css", "facts.css", "edition.css", "cards.css", "dialog.css")
_EDITION_SCRIPTS = ("cards.js", "play.js", "sift.js", "dialog.js")


def _campaign(entry: IndexEntry) -> tuple[str, str]:
    return entry.tenant, entry.campaign


def _render(template: str, **context: Any) -> str:
    page = _environment().get_template(template).render(**context)
    # A prompt may hold half a surrogate pair, which no file can: it becomes a question mark.
    return page.encode("utf-8", "replace").decode("utf-8")


def _frame(shots: tuple[ShotView, ...]) -> str:
    """The frame of all cards: the one closest to the shape of most shots."""
    shapes = Counter((shot.width, shot.height) for shot in shots)
    (width, height), _ = shapes.most_common(1)[0] if shapes else ((16, 9), 0)
    return min(FRAMES, key=lambda name: abs(log(FRAMES[name] * height / width)))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("wan_pipelines.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {
        "ensure_ascii": False,
        "separators": (",", ":"),
    }
    environment.filters.update(
        file_href=links.file_href,
        site_href=links.site_href,
        money=formats.money,
        exact_money=formats.exact_money,
        seconds=formats.seconds,
        gpu_time=formats.gpu_time,
        when=formats.when,
        date=formats.calendar_day,
        short_date=formats.short_day,
        percent=formats.percent,
        plural=formats.plural,
    )
    environment.globals.update(wordings=WORDINGS, pixel_art_below=PIXEL_ART_BELOW)
    return environment
