"""Weights of a release put into the environment's store. Needs no ledger."""

from pathlib import Path
from threading import Event

from wan_pipelines.engines.releases import Release, read_releases
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.studio.mirror_jobs import WHERE, HubFiles, Job, Order, jobs_of
from wan_pipelines.studio.settings import Settings
from wan_pipelines.studio.supply import weights_mirror
from wan_pipelines.weights.events import Planned, Tell
from wan_pipelines.weights.mirroring.hub import download_snapshot, list_files
from wan_pipelines.weights.mirroring.origins import open_folder
from wan_pipelines.weights.mirroring.publish import Publication, Wish


def mirror_weights(
    root: Path, state: Path, settings: Settings, order: Order, tell: Tell, stop: Event
) -> None:
    """Mirror every set that the order means, one after the other.

    InputError, WeightsError, StorageError or FetchStopped say why one is not.
    """
    releases = read_releases(root / "assets")
    release = releases.get(order.name)
    if release is None and order.source is None:
        raise InputError(
            f"there is no release {order.name!r}, and no --from that says where the weights are.",
            where=WHERE,
            remedy=did_you_mean(order.name, releases),
        )
    mirror, drafts = weights_mirror(state, settings), state / settings.cache / "mirroring"
    for job in jobs_of(release, order):
        if order.dry_run and isinstance(job.place, HubFiles):
            _plan_download(job.wanted.pin.label, job.place, tell)
            continue
        publication = Publication(mirror, _wish(job, release, order), drafts, tell, stop)
        if order.dry_run:
            publication.plan()
        else:
            publication.run()


def _plan_download(label: str, files: HubFiles, tell: Tell) -> None:
    """What becomes of them depends on their headers, for which they would have to be here."""
    sizes = list_files(files.repository, files.revision, files.patterns)
    for path, size in sorted(sizes.items()):
        tell(Planned(label, path, size, "fetched", is_there=False))


def _wish(job: Job, release: Release | None, order: Order) -> Wish:
    licence = release.licence if release else order.licence
    if not licence:
        raise InputError(
            "no release says which licence the weights have.", where=WHERE, remedy="Add --licence."
        )
    pin, hub = job.wanted.pin, job.hub
    folder = job.place
    if isinstance(folder, HubFiles):
        folder = download_snapshot(folder.repository, folder.revision, folder.patterns)
    origin = open_folder(
        folder,
        hub.patterns if hub else (),
        revision=order.revision or pin.revision,
        words=hub.words if hub else "",
    )
    conversion = job.wanted.mirroring.conversion
    default = "bfloat16" if conversion.bfloat16 else "float32"
    return Wish(pin, origin, conversion, release.dtype if release else default, licence)
