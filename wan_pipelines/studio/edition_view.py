"""What the ledger knows of an edition, in the words of its page."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from wan_pipelines.encoding.publish import manifest_key
from wan_pipelines.ledger.editions import EditionKey
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.records import Rendition, StageMicroseconds
from wan_pipelines.ledger.reports import EditionTotals, ShotView
from wan_pipelines.pages import view
from wan_pipelines.pages.links import relative_href
from wan_pipelines.pages.states import State
from wan_pipelines.storage.keys import page_key
from wan_pipelines.studio.studio import Studio

PICTURES = ("poster", "preview")
POSTERS_ON_INDEX = 12
MICROSECONDS = 1_000_000


def edition_view(
    studio: Studio,
    edition: EditionKey,
    shots: Sequence[ShotView],
    totals: EditionTotals,
    index: str,
) -> view.EditionView:
    """Everything on the page of one edition; addresses are relative to the page."""
    page = page_key(edition.tenant, edition.campaign, edition.edition)
    shown = tuple(_shot(edition, shot, page) for shot in shots)
    title, description = _titles(studio, edition.campaign)
    return view.EditionView(
        campaign=edition.campaign,
        title=title,
        description=description,
        edition=edition.edition,
        tenant=edition.tenant,
        user=edition.user,
        release=_common(shot.request["release"] for shot in shots),
        tier=_common(shot.tier for shot in shots),
        generated_at=datetime.now(UTC),
        shots=shown,
        totals=_totals(shown, totals),
        quotas=_quotas(studio, edition),
        index_href=relative_href(page, index),
    )


def index_entry(
    studio: Studio,
    edition: EditionKey,
    shots: Sequence[ShotView],
    totals: EditionTotals,
    index: str,
) -> view.IndexEntry:
    """An edition on the tenant's page; addresses are relative to that page."""
    page = page_key(edition.tenant, edition.campaign, edition.edition)
    shown = tuple(_shot(edition, shot, index) for shot in shots)
    title, description = _titles(studio, edition.campaign)
    return view.IndexEntry(
        campaign=edition.campaign,
        title=title,
        description=description,
        edition=edition.edition,
        tenant=edition.tenant,
        user=edition.user,
        release=_common(shot.request["release"] for shot in shots),
        tier=_common(shot.tier for shot in shots),
        generated_at=datetime.now(UTC),
        href=relative_href(index, page),
        totals=_totals(shown, totals),
        posters=tuple(
            view.PosterView(
                shot=shot.name,
                href=shot.poster_href,
                width=shot.width,
                height=shot.height,
                preview_href=shot.preview_href,
            )
            for shot in shown
            if shot.poster_href
        )[:POSTERS_ON_INDEX],
    )


def state_of(shot: ShotView) -> State:
    """What became of a shot, in the page's words."""
    match shot.state, shot.outcome:
        case ("held" | "rejected" | "refused" | "withdrawn" | "duplicate") as state, _:
            return state
        case _, "accepted":
            return "reused" if shot.reused else "rendered"
        case _, "failed":
            return "failed"
        case _:
            return "waiting"


def render_seconds(shot: ShotView) -> float:
    """Wall seconds from text to frames, of the latest take."""
    return sum(stage.seconds for stage in _stages(shot.stages))


def _shot(edition: EditionKey, shot: ShotView, page: str) -> view.ShotView:
    request = shot.request
    files = {file.name: file for file in shot.renditions}
    pictures = {name: relative_href(page, files[name].key) for name in PICTURES if name in files}
    has_files = shot.take_id is not None and bool(files)
    manifest = manifest_key(edition.tenant, shot.render_key, shot.take_id or "")
    return view.ShotView(
        name=shot.shot,
        prompt=request["prompt"],
        negative_prompt=request["negative_prompt"],
        seed=request["seed"],
        width=request["width"],
        height=request["height"],
        frames=request["frames"],
        fps=shot.fps,
        state=state_of(shot),
        reason=shot.reason,
        may_run_at=shot.may_run_at,
        attempts=shot.attempts,
        error_text=shot.error_message or "",
        error_stage=shot.error_stage or "",
        gpu_seconds=shot.gpu_microseconds / MICROSECONDS,
        cost_micro_usd=shot.cost_micro_usd,
        render_seconds=render_seconds(shot),
        stages=_stages(shot.stages),
        poster_href=pictures.get("poster", ""),
        preview_href=pictures.get("preview", ""),
        renditions=tuple(
            _rendition(file, page) for name, file in files.items() if name not in PICTURES
        ),
        manifest_href=relative_href(page, manifest) if has_files else "",
        take_id=shot.take_id or "",
        render_key=shot.render_key,
    )


def _rendition(file: Rendition, page: str) -> view.RenditionView:
    return view.RenditionView(
        name=file.name,
        href=relative_href(page, file.key),
        codec=file.codec,
        width=file.width,
        height=file.height,
        size_bytes=file.size_bytes,
        duration_seconds=file.duration_seconds,
    )


def _stages(stages: StageMicroseconds | None) -> tuple[view.StageView, ...]:
    if stages is None:
        return ()
    return tuple(
        view.StageView(name.replace("_", " "), getattr(stages, name) / MICROSECONDS)
        for name in StageMicroseconds.__slots__
    )


def _totals(shots: Sequence[view.ShotView], totals: EditionTotals) -> view.Totals:
    return view.Totals(
        counts=view.count_states(shots),
        gpu_seconds=totals.gpu_microseconds / MICROSECONDS,
        paid_micro_usd=totals.cost_micro_usd,
        spending=tuple(
            view.Spending(kind, amount) for kind, amount in totals.micro_usd_by_kind.items()
        ),
    )


def _quotas(studio: Studio, edition: EditionKey) -> tuple[view.QuotaLine, ...]:
    left = quota_left(studio.ledger, edition.tenant, edition.user, now=datetime.now(UTC))
    if left.limit is None:
        return ()
    label = f"{edition.user}, videos a day"
    return (
        view.QuotaLine(label=label, used=left.used, limit=left.limit, resets_at=left.resets_at),
    )


def _titles(studio: Studio, campaign: str) -> tuple[str, str]:
    """Title and description of the brief; prompts typed into the launchpad have none."""
    if (studio.folder_of(campaign) / "defs.yaml").is_file():
        brief = studio.brief(campaign)
        return brief.title, brief.description
    return campaign, ""


def _common(values) -> str:
    return ", ".join(Counter(values))
