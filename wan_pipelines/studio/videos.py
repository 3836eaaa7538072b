"""The videos of an edition: every rendition that was asked for, checked, described, shown."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from wan_pipelines.encoding.encode import transcode
from wan_pipelines.encoding.publish import manifest_key
from wan_pipelines.encoding.publish import publish as publish_files
from wan_pipelines.encoding.renditions import (
    RENDITIONS,
    RenditionFile,
    missing_at,
    rendition_specs,
)
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.reports import (
    SHOWN,
    EditionTotals,
    ShotView,
    edition_shots_view,
    edition_totals,
    take_charges,
)
from wan_pipelines.ledger.takes import add_renditions
from wan_pipelines.studio.drafts import as_storage_errors, draft_folder
from wan_pipelines.studio.manifests import complete_manifest
from wan_pipelines.studio.outputs import BrokenOutput, broken_outputs
from wan_pipelines.studio.page import Pages, write_pages, write_sheet
from wan_pipelines.studio.studio import Studio

MANIFESTS_AT_A_TIME = 8  # a store takes longer to answer than to write
FULL_SIZE = tuple(spec.name for spec in RENDITIONS.values() if spec.scale == 1)


@dataclass(frozen=True, slots=True)
class Published:
    """An edition as it can be seen now."""

    edition: EditionKey
    shots: tuple[ShotView, ...]
    totals: EditionTotals
    broken: tuple[BrokenOutput, ...]
    pages: Pages

    @property
    def unaccounted(self) -> tuple[ShotView, ...]:
        """Admitted shots without a video: they failed, or were not rendered."""
        return tuple(
            shot for shot in self.shots if shot.state == "admitted" and shot.outcome != "accepted"
        )


def publish(studio: Studio, edition: EditionKey) -> Published:
    """Check files, derive renditions that are missing, complete manifests, write the pages.

    Takes with lost or damaged files are left alone: the next launch renders them again.
    """
    shots = edition_shots_view(studio.ledger, edition)
    broken = tuple(broken_outputs(studio, edition))
    if _complete(studio, edition, _videos(shots), {output.take_id for output in broken}):
        shots = edition_shots_view(studio.ledger, edition)
    write_sheet(studio, edition, shots)
    totals = edition_totals(studio.ledger, edition)
    return Published(edition, shots, totals, broken, write_pages(studio, edition, shots, totals))


def _videos(shots: Sequence[ShotView]) -> dict[str, list[ShotView]]:
    """By accepted take, the shots that show it; not those that were withdrawn meanwhile."""
    found: dict[str, list[ShotView]] = {}
    for shot in shots:
        if shot.take_id and shot.outcome == "accepted" and shot.state in SHOWN:
            found.setdefault(shot.take_id, []).append(shot)
    return found


def _complete(
    studio: Studio,
    edition: EditionKey,
    found: Mapping[str, Sequence[ShotView]],
    damaged: Collection[str],
) -> bool:
    """Give takes the renditions that they lack and manifests their charges; was any derived?"""
    charges = take_charges(studio.ledger, edition)
    derived: list[RenditionFile] = []
    completed: list[Future[None]] = []
    with ThreadPoolExecutor(MANIFESTS_AT_A_TIME) as pool:
        for take_id, shots in found.items():
            if take_id in damaged:
                continue
            more = _derive_missing(studio, edition, take_id, shots)
            derived += more
            key = manifest_key(edition.tenant, shots[0].render_key, take_id)
            files = (*shots[0].files, *more)
            charge = charges.get(take_id)
            completed.append(pool.submit(complete_manifest, studio, key, charge, files))
    for each in completed:
        each.result()
    return bool(derived)


def _derive_missing(
    studio: Studio, edition: EditionKey, take_id: str, shots: Sequence[ShotView]
) -> tuple[RenditionFile, ...]:
    """Renditions that shots want of a take that was made for another, at the rate of each shot.

    The shots are of one edition, which asks the same renditions of all.
    """
    rates = {shot.fps: shot for shot in shots}
    derived: list[RenditionFile] = []
    for fps, shot in rates.items():
        missing = missing_at(fps, shot.renditions_wanted, shot.files)
        if missing:
            derived += _derive(studio, edition, take_id, shot, missing)
    return tuple(derived)


def _derive(
    studio: Studio, edition: EditionKey, take_id: str, shot: ShotView, names: Sequence[str]
) -> tuple[RenditionFile, ...]:
    """Renditions of those names, at the shot's rate, from the one of full size.

    Every take has one: its tail makes it whether it is asked for or not.
    """
    made = {file.name: file for file in shot.files}
    source = next(made[name] for name in FULL_SIZE if name in made)
    specs = rendition_specs(names)
    if source.fps != shot.fps:
        specs = [spec.at_rate(shot.fps) for spec in specs]
    with draft_folder(studio.cache) as drafts:
        original = drafts / "source.mp4"
        content = studio.store.read_bytes(source.key)
        with as_storage_errors(drafts):
            original.write_bytes(content)
        files = transcode(original, specs, drafts / "derived", fps=shot.fps)
        published = publish_files(studio.store, edition.tenant, shot.render_key, take_id, files)
    add_renditions(studio.ledger, edition.tenant, take_id, published, now=datetime.now(UTC))
    return published
