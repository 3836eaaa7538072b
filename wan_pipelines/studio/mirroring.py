"""Weights of a release put into the environment's store. Needs no ledger."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from wan_pipelines.engines.release_parts import HubWeights, Mirroring
from wan_pipelines.engines.releases import Release, read_releases
from wan_pipelines.engines.sourcing import MirroredSet, mirrored_sets
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.studio.settings import Settings
from wan_pipelines.studio.supply import weights_mirror
from wan_pipelines.weights.events import Tell
from wan_pipelines.weights.mirroring.hub import download_snapshot, parse_address
from wan_pipelines.weights.mirroring.origins import open_folder, revision_of
from wan_pipelines.weights.mirroring.publish import Publication, Wish
from wan_pipelines.weights.pins import Pin

WHERE = "wan weights mirror"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a person asks for.

    `source` is a folder or `hub:org/name@commit`; None: where the release has its weights from.
    `licence` and `mirroring` hold for weights that no release describes yet.
    """

    name: str
    source: str | None = None
    revision: str | None = None
    licence: str | None = None
    mirroring: Mirroring = field(default_factory=Mirroring)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Job:
    """A set, and where it is mirrored from: a folder, or a repository of the hub."""

    wanted: MirroredSet
    folder: Path | None


def mirror_weights(
    root: Path, state: Path, settings: Settings, order: Order, tell: Tell, stop: Event
) -> None:
    """Mirror every set that the order means, one after the other.

    InputError, WeightsError, StorageError or FetchStopped say why one is not.
    """
    mirror = weights_mirror(state, settings)
    releases = read_releases(root / "assets")
    release = releases.get(order.name)
    if release is None and order.source is None:
        raise InputError(
            f"there is no release {order.name!r}, and no --from that says where the weights are.",
            where=WHERE,
            remedy=did_you_mean(order.name, releases),
        )
    for job in _jobs(release, order):
        publication = Publication(
            mirror,
            _wish(job, release, order),
            state / settings.cache / "mirroring",
            tell,
            stop,
        )
        if order.dry_run:
            publication.plan()
        else:
            publication.run()


def _jobs(release: Release | None, order: Order) -> Iterator[_Job]:
    sets = mirrored_sets(release) if release else ()
    if order.source is None:
        if release and not sets:
            yield _job_at_hand(release, order)
        yield from (_Job(each, None) for each in sets)
        return
    if order.source.startswith("hub:"):
        repository, revision = parse_address(order.source)
        yield from _hub_jobs(_of_revision(sets, revision, order), repository, revision, order)
        return
    folder = Path(order.source)
    if not folder.is_dir():
        raise InputError(f"there is no folder {order.source}.", where=WHERE, remedy="Check --from.")
    revision = revision_of(folder, order.revision)
    chosen = _of_revision(sets, revision, order)
    yield from (_Job(each, folder) for each in chosen or (_new_set(order, revision),))


def _job_at_hand(release: Release, order: Order) -> _Job:
    """Of weights that are shipped, or lie in a folder: they may be mirrored under their name."""
    folder = release.weights_source().present(Path())
    if folder is None:
        raise InputError(
            f"the weights of {release.name} are a server's.",
            where=WHERE,
            remedy="Name a folder by --from.",
        )
    return _Job(_new_set(order, revision_of(folder, order.revision)), folder)


def _of_revision(
    sets: tuple[MirroredSet, ...], revision: str, order: Order
) -> tuple[MirroredSet, ...]:
    """The sets that a release has of that revision; InputError if it wants others."""
    chosen = tuple(each for each in sets if each.pin.revision == revision)
    if sets and not chosen:
        wanted = ", ".join(each.pin.label for each in sets)
        raise InputError(
            f"{order.source} is revision {revision}, and the release loads {wanted}.",
            where=WHERE,
            remedy="Take a snapshot of a revision that it pins.",
        )
    return chosen


def _hub_jobs(
    chosen: tuple[MirroredSet, ...], repository: str, revision: str, order: Order
) -> Iterator[_Job]:
    for each in chosen:
        if each.hub and each.hub.repository != repository:
            raise InputError(
                f"{each.pin.label} comes from {each.hub.repository}, not {repository}.",
                where=WHERE,
                remedy="Leave out --from, or correct the release.",
            )
        yield _Job(each, None if each.hub else download_snapshot(repository, revision, ()))
    if not chosen:
        yield _Job(_new_set(order, revision), download_snapshot(repository, revision, ()))


def _new_set(order: Order, revision: str) -> MirroredSet:
    """Weights that no release fetches from the mirror yet."""
    return MirroredSet(Pin(name=order.name, revision=revision), None, order.mirroring)


def _wish(job: _Job, release: Release | None, order: Order) -> Wish:
    wanted, hub = job.wanted, job.wanted.hub
    folder = job.folder or _downloaded(hub)
    origin = open_folder(
        folder,
        hub.files if hub else (),
        revision=order.revision or wanted.pin.revision,
        words=f"hub:{hub.repository}@{hub.revision}" if hub else "",
    )
    licence = release.licence if release else order.licence
    if not licence:
        raise InputError(
            "no release says which licence the weights have.", where=WHERE, remedy="Add --licence."
        )
    conversion = wanted.mirroring.conversion
    default = "bfloat16" if conversion.bfloat16 else "float32"
    return Wish(wanted.pin, origin, conversion, release.dtype if release else default, licence)


def _downloaded(hub: HubWeights | None) -> Path:
    if hub is None:
        raise InputError(
            "the release does not say where its weights are mirrored from.",
            where=WHERE,
            remedy="Name a folder or hub:org/name@commit by --from.",
        )
    return download_snapshot(hub.repository, hub.revision, hub.files)
