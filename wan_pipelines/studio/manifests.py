"""The manifest beside each video: written with its files, completed when its charge is known."""

from collections.abc import Sequence

from wan_pipelines import __version__
from wan_pipelines.campaigns.editions import brief_digest
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.encoding.fidelity import FidelityScore
from wan_pipelines.encoding.manifest import (
    Parent,
    Rendition,
    Requested,
    Shape,
    VideoManifest,
    WeightsOrigin,
)
from wan_pipelines.encoding.publish import publish_manifest, read_manifest
from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.engines.prepare import fingerprint_of
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.rendering.takes import Take
from wan_pipelines.studio.studio import Studio


class Describer:
    """Writes manifests for takes of one edition; what they have in common is read once."""

    def __init__(self, studio: Studio, edition: EditionKey) -> None:
        self._studio = studio
        self._edition = edition
        self._gpu_count = studio.settings.rendering_class.gpu_count
        self._fingerprints: dict[str, dict[str, str | int | float]] = {}
        self._origins: dict[str, WeightsOrigin] = {}
        self._brief = _brief_parent(studio, edition.campaign)

    def describe(
        self,
        shot: Shot,
        take: Take,
        files: Sequence[RenditionFile],
        fidelity: FidelityScore | None = None,
    ) -> None:
        """Write the manifest of a take whose files are in the store."""
        publish_manifest(self._studio.store, self._manifest(shot, take, files, fidelity))

    def _manifest(
        self,
        shot: Shot,
        take: Take,
        files: Sequence[RenditionFile],
        fidelity: FidelityScore | None,
    ) -> VideoManifest:
        drawn = take.footing or Footing(shot.request)
        request = drawn.request
        assert take.stages is not None
        stages = take.stages
        busy_seconds = stages.text + stages.denoise_high + stages.denoise_low + stages.decode
        return VideoManifest(
            created_at=take.ended_at,
            tenant=self._edition.tenant,
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            seed=request.seed,
            shape=Shape(
                width=request.width, height=request.height, frames=request.frames, fps=shot.fps
            ),
            tier=drawn.tier or shot.tier,
            sampling=request.sampling,
            release=request.release,
            release_identity=request.release_identity,
            weights=self._weights(request.release),
            engine=take.engine,
            fingerprint=self._fingerprint(request.release),
            code_version=__version__,
            requested=_requested(shot, drawn),
            render_key=shot.render_key,
            take_id=take.id,
            run_id=take.run.run_id,
            step_key=take.run.step_key,
            compilation=take.compilation,
            seams=take.seams,
            resumed_steps=take.checkpoint.resumed_steps,
            stage_seconds=stages,
            gpu_seconds=self._gpu_count * busy_seconds,
            fidelity=fidelity,
            renditions=tuple(Rendition.of(file) for file in files),
            parents=self._parents(request),
        )

    def _fingerprint(self, release: str) -> dict[str, str | int | float]:
        if release not in self._fingerprints:
            device = self._studio.settings.rendering_class.device
            threads = self._studio.settings.workers.threads
            found = fingerprint_of(self._studio.release(release), device, threads)
            self._fingerprints[release] = found.to_json()
        return self._fingerprints[release]

    def _weights(self, release: str) -> WeightsOrigin:
        if release not in self._origins:
            source = self._studio.release(release).weights_source(self._studio.supply)
            manifest = source.ensure(self._studio.cache / "weights").manifest
            files = {file.path: file.sha256 for file in manifest.files}
            self._origins[release] = WeightsOrigin(revision=manifest.revision, files=files)
        return self._origins[release]

    def _parents(self, request: RenderRequest) -> tuple[Parent, ...]:
        edition = f"{self._edition.campaign}/{self._edition.edition}"
        return (
            Parent(kind="release", name=request.release, digest=request.release_identity),
            Parent(kind="weights", name=self._weights(request.release).revision),
            *self._brief,
            Parent(kind="edition", name=edition),
        )


def _requested(shot: Shot, drawn: Footing) -> Requested | None:
    if not drawn.rungs:
        return None
    return Requested(
        rungs=drawn.rungs,
        changes_pixels=drawn.request.key != shot.render_key,
        release=shot.request.release,
        release_identity=shot.request.release_identity,
        tier=shot.tier,
        sampling=shot.request.sampling,
    )


def complete_manifest(
    studio: Studio, key: str, charge_micro_usd: int | None, files: Sequence[RenditionFile]
) -> None:
    """Add to a manifest what was not known when it was written; writes only what differs.

    `files` are all of the take: those that were derived since are added, even if whoever derived
    them did not come to it. Without a charge, what stands there stays.
    """
    found = read_manifest(studio.store, key)
    names = {rendition.name for rendition in found.renditions}
    more = tuple(Rendition.of(file) for file in files if file.name not in names)
    charge = found.charge_micro_usd if charge_micro_usd is None else charge_micro_usd
    if more or charge != found.charge_micro_usd:
        changed = {"charge_micro_usd": charge, "renditions": (*found.renditions, *more)}
        publish_manifest(studio.store, found.model_copy(update=changed))


def _brief_parent(studio: Studio, campaign: str) -> tuple[Parent, ...]:
    """The brief as a parent; a prompt typed into the launchpad has none."""
    folder = studio.folder_of(campaign)
    if not (folder / "defs.yaml").is_file():
        return ()
    return (
        Parent(kind="brief", name=campaign, digest=brief_digest(studio.brief(campaign), folder)),
    )
