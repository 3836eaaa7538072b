"""Editions as the ledger knows them: which there are, and what of one is still to be rendered."""

from collections.abc import Collection, Iterable

from wan_pipelines.campaigns.editions import check_edition
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.ledger.editions import EditionShot, edition_shots
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import videos
from wan_pipelines.studio.studio import Studio


def edition_key(studio: Studio, campaign: str, edition: str) -> EditionKey:
    """The edition of a campaign, on the account of whom its brief names."""
    brief = studio.brief(campaign)
    return EditionKey(brief.tenant, brief.user, campaign, check_edition(edition))


def missing_shots(
    studio: Studio, edition: EditionKey, only: Collection[str] | None = None
) -> tuple[Shot, ...]:
    """Admitted shots that have no accepted take yet."""
    rendered = videos(studio.ledger, edition.tenant, edition.campaign, edition.edition)
    done = {video.render_key for video in rendered}
    admitted = edition_shots(studio.ledger, edition, only=only)
    return tuple(_shot(found) for found in admitted if found.render_key not in done)


def shots_named(studio: Studio, edition: EditionKey, names: Iterable[str]) -> tuple[Shot, ...]:
    """Shots that were admitted, in the order of `names`; what was withdrawn since is left out."""
    wanted = list(names)
    admitted = edition_shots(studio.ledger, edition, only=set(wanted))
    found = {shot.name: _shot(shot) for shot in admitted}
    return tuple(found[name] for name in wanted if name in found)


def _shot(found: EditionShot) -> Shot:
    return Shot(
        name=found.name,
        request=RenderRequest.from_json(found.request),
        tier=found.tier,
        fps=found.fps,
        renditions=found.renditions,
        variables=found.variables,
    )
