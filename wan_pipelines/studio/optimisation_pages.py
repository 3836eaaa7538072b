"""The report that is written where an edition's videos cost more than they may."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.pages.links import relative_href
from wan_pipelines.pages.optimisation import Missed, OptimisationView
from wan_pipelines.pages.render import render_optimisation_page
from wan_pipelines.storage.keys import page_key
from wan_pipelines.studio.cost_targets import TargetVerdict
from wan_pipelines.studio.optimising import ways
from wan_pipelines.studio.studio import Studio

NAME = "optimisation"


def write_optimisation(
    studio: Studio, edition: EditionKey, verdicts: Sequence[TargetVerdict]
) -> str | None:
    """Write page and JSON about targets that were missed; returns the page's key.

    Where all are met there is nothing to say: what was written before is removed.
    """
    page, data = (
        page_key(edition.tenant, edition.campaign, edition.edition, f"{NAME}.{suffix}")
        for suffix in ("html", "json")
    )
    missed = tuple(_missed(studio, verdict) for verdict in verdicts if not verdict.met)
    if not missed:
        studio.store.delete(page)
        studio.store.delete(data)
        return None
    view = OptimisationView(
        tenant=edition.tenant,
        campaign=edition.campaign,
        edition=edition.edition,
        generated_at=datetime.now(UTC),
        edition_href=relative_href(
            page, page_key(edition.tenant, edition.campaign, edition.edition)
        ),
        missed=missed,
    )
    studio.store.put_bytes(data, (json.dumps(view.to_json(), indent=2) + "\n").encode())
    studio.store.put_bytes(page, render_optimisation_page(view).encode())
    return page


def _missed(studio: Studio, verdict: TargetVerdict) -> Missed:
    return Missed(
        target=verdict.target.name,
        target_micro_usd=verdict.target_micro_usd,
        each_micro_usd=verdict.each_micro_usd,
        videos=verdict.videos,
        within=verdict.within,
        paid_micro_usd=verdict.paid_micro_usd,
        kinds={kind: amount for kind, amount in verdict.kinds.items() if amount},
        wasted_micro_usd=verdict.wasted_micro_usd,
        retried_micro_usd=verdict.retried_micro_usd,
        ways=ways(studio, verdict),
    )
