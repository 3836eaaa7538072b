"""Which sets of weights somebody wants mirrored, and where each of them is."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from wan_pipelines.engines.release_parts import HubWeights, Mirroring
from wan_pipelines.engines.releases import Release
from wan_pipelines.engines.sourcing import MirroredSet, mirrored_sets
from wan_pipelines.errors import InputError
from wan_pipelines.weights.mirroring.hub import parse_address
from wan_pipelines.weights.mirroring.origins import revision_of
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
class HubFiles:
    """Files of a repository at a commit; all of them without patterns."""

    repository: str
    revision: str
    patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, hub: HubWeights) -> "HubFiles":
        return cls(hub.repository, hub.revision, hub.files)

    @property
    def words(self) -> str:
        return f"hub:{self.repository}@{self.revision}"


@dataclass(frozen=True, slots=True)
class Job:
    """A set that is wanted in the mirror, and where it is."""

    wanted: MirroredSet
    place: Path | HubFiles

    @property
    def hub(self) -> HubFiles | None:
        """The files of the hub that they are, wherever they lie now; None if they are no hub's."""
        if isinstance(self.place, HubFiles):
            return self.place
        return HubFiles.of(self.wanted.hub) if self.wanted.hub else None


def jobs_of(release: Release | None, order: Order) -> Iterator[Job]:
    """What the order means; InputError or WeightsError if it contradicts itself or the release."""
    sets = mirrored_sets(release) if release else ()
    if order.source is None:
        yield from (_job_of_set(each) for each in sets)
        if release and not sets:
            yield _job_at_hand(release, order)
    elif order.source.startswith("hub:"):
        yield from _hub_jobs(sets, order, order.source)
    else:
        yield from _folder_jobs(sets, order, Path(order.source))


def _job_of_set(wanted: MirroredSet) -> Job:
    if wanted.hub is None:
        raise InputError(
            f"the release does not say where {wanted.pin.label} is mirrored from.",
            where=WHERE,
            remedy="Name a folder or hub:org/name@commit by --from.",
        )
    return Job(wanted, HubFiles.of(wanted.hub))


def _job_at_hand(release: Release, order: Order) -> Job:
    """Weights that are shipped, or lie in a folder, may be mirrored under their release's name."""
    folder = release.weights_source().present(Path())
    if folder is None:
        raise InputError(
            f"the weights of {release.name} are not at hand, and it names no mirror.",
            where=WHERE,
            remedy="Add `mirror` to its source, or name a folder by --from.",
        )
    return Job(_new_set(order, revision_of(folder, order.revision)), folder)


def _folder_jobs(sets: tuple[MirroredSet, ...], order: Order, folder: Path) -> Iterator[Job]:
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}.", where=WHERE, remedy="Check --from.")
    revision = revision_of(folder, order.revision)
    chosen = _of_revision(sets, revision, str(folder)) or (_new_set(order, revision),)
    yield from (Job(each, folder) for each in chosen)


def _hub_jobs(sets: tuple[MirroredSet, ...], order: Order, address: str) -> Iterator[Job]:
    repository, revision = parse_address(address)
    chosen = _of_revision(sets, revision, address)
    for each in chosen:
        if each.hub and each.hub.repository != repository:
            raise InputError(
                f"{each.pin.label} comes from {each.hub.repository}, not {repository}.",
                where=WHERE,
                remedy="Leave out --from, or correct the release.",
            )
        yield Job(each, HubFiles(repository, revision, each.hub.files if each.hub else ()))
    if not chosen:
        yield Job(_new_set(order, revision), HubFiles(repository, revision))


def _of_revision(
    sets: tuple[MirroredSet, ...], revision: str, words: str
) -> tuple[MirroredSet, ...]:
    """The sets that a release has of that revision; InputError if it wants others only."""
    chosen = tuple(each for each in sets if each.pin.revision == revision)
    if sets and not chosen:
        wanted = ", ".join(each.pin.label for each in sets)
        raise InputError(
            f"{words} is revision {revision}, and the release loads {wanted}.",
            where=WHERE,
            remedy="Take a snapshot of a revision that it pins.",
        )
    return chosen


def _new_set(order: Order, revision: str) -> MirroredSet:
    """Weights that no release fetches from the mirror yet."""
    try:
        pin = Pin(name=order.name, revision=revision)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise InputError(
            f"{getattr(order, field) or revision!r} is no {field} of weights.",
            where=WHERE,
            remedy="Take letters, digits, dots and dashes, as in wan2.2-t2v-a14b or v1: both "
            "become names of folders.",
        ) from error
    return MirroredSet(pin, None, order.mirroring)
