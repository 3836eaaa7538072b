"""The weights of a deployment on this node: fetched, listed, checked, evicted. Needs no ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Literal

from wan_pipelines.engines.releases import Release, read_releases
from wan_pipelines.engines.served import ServedWeights
from wan_pipelines.engines.sourcing import lora_source
from wan_pipelines.errors import FetchStopped, InputError, WeightsError
from wan_pipelines.studio.settings import Settings, read_settings
from wan_pipelines.studio.studio import named
from wan_pipelines.studio.supply import supply_of, weights_cache, weights_mirror
from wan_pipelines.units import GB
from wan_pipelines.weights.events import Ready, Tell
from wan_pipelines.weights.inspection import Problem
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.mirrored import MirroredSource
from wan_pipelines.weights.node.checking import recheck
from wan_pipelines.weights.node.entry import Entry, disk_bytes, entries
from wan_pipelines.weights.node.eviction import beside_sets, evict, evict_to
from wan_pipelines.weights.node.fetching import Fetching
from wan_pipelines.weights.node.locks import POLL_SECONDS, hold, in_use
from wan_pipelines.weights.node.ready import whole
from wan_pipelines.weights.sources import WeightsFolder, WeightsSource

State = Literal["whole", "in part", "absent", "at hand"]
IN_USE = "{} is in use, and stays."
BESIDE = "{} came from a hub itself, and stays: it goes by hand."


@dataclass(frozen=True, slots=True)
class WeightsRow:
    """A set of weights, as far as this node and the store know it; times are UTC."""

    release: str | None
    weights: str
    here: State
    disk_bytes: int
    used_at: datetime | None
    in_use: bool
    mirrored: bool | None
    folder: str


@dataclass(frozen=True)
class NodeWeights:
    """Weights below the cache of an environment; `tell` hears what happens, `stop` ends it."""

    root: Path
    state: Path
    settings: Settings
    tell: Tell
    stop: Event

    @cached_property
    def releases(self) -> dict[str, Release]:
        return read_releases(self.root / "assets")

    @property
    def cache(self) -> Path:
        return weights_cache(self.state, self.settings)

    @cached_property
    def mirror(self) -> WeightsMirror:
        return weights_mirror(self.state, self.settings)

    def release(self, name: str) -> Release:
        """The release of that name; InputError suggests what was meant."""
        return named(self.releases, name, kind="release", where=self.root / "assets" / "models")

    def fetch(self, name: str) -> None:
        """Make everything a release loads whole on this node; see `weights.node.fetch`."""
        for source in self._sources(self.release(name)):
            folder = source.ensure(self.cache)
            if not folder.verified:
                self.tell(_at_hand(folder))

    def verify(self, name: str) -> Iterator[tuple[str, str]]:
        """Read every byte again: file and what is wrong with it, or nothing.

        Damaged files of the cache are put aside, so that the next fetch brings them.
        """
        for source in self._sources(self.release(name)):
            if isinstance(source, MirroredSource) and self._is_cached(source):
                with _explained(self.cache):
                    yield from self._recheck(Entry.of(self.cache, source.pin))
            else:
                folder = _found(source, self.cache)
                yield from (
                    _told(folder.path, each) for each in folder.manifest.problems(folder.path)
                )

    def evict(self, name: str) -> Iterator[str]:
        """Remove what a release loads from the cache; why something of it stays."""
        for source in self._sources(self.release(name)):
            if isinstance(source, MirroredSource):
                entry = Entry.of(self.cache, source.pin)
                with _explained(self.cache):
                    if entry.folder.is_dir() and not evict(entry, self.tell):
                        yield IN_USE.format(entry.label)

    def evict_to(self, size_gb: float) -> Iterator[str]:
        """Remove the least recently used until the cache takes no more than that.

        Why it still takes more, if it does.
        """
        limit_bytes = int(size_gb * GB)
        with _explained(self.cache):
            for _ in evict_to(self.cache, limit_bytes, self.tell):
                if self.stop.is_set():
                    return
        if disk_bytes(self.cache) > limit_bytes:
            yield from (IN_USE.format(entry.label) for entry in entries(self.cache))
            yield from (BESIDE.format(self.cache / name) for name in beside_sets(self.cache))

    def rows(self, *, ask_store: bool) -> tuple[WeightsRow, ...]:
        """What releases load, then what else is here or there; without the store if so wished."""
        mirrored = {pin.label for pin in self.mirror.pins()} if ask_store else None
        labels = {entry.label for entry in entries(self.cache)} | (mirrored or set())
        rows = [
            self._row(release.name, source, mirrored)
            for release in self.releases.values()
            for source in self._sources(release)
        ]
        known = {row.weights for row in rows}
        others = (Entry(self.cache, label) for label in sorted(labels - known))
        return (*rows, *(self._entry_row(None, entry, mirrored) for entry in others))

    def _sources(self, release: Release) -> Iterator[WeightsSource]:
        """Of the model, of what continues its segments, of its LoRAs."""
        if isinstance(release.source, ServedWeights):
            return
        supply = supply_of(self.state, self.settings, tell=self.tell, stop=self.stop)
        yield release.weights_source(supply)
        continuing = release.continuing_source(supply)
        if continuing:
            yield continuing
        for lora in release.all_loras:
            yield lora_source(release, lora, supply)

    def _recheck(self, entry: Entry) -> Iterator[tuple[str, str]]:
        hold(entry)
        how = Fetching(parallel=self.settings.weights.parallel, tell=self.tell, stop=self.stop)
        for path in recheck(entry, how, self._wait):
            yield str(entry.files / path), "is missing or damaged; fetch it again"

    def _wait(self) -> None:
        if self.stop.wait(POLL_SECONDS):
            raise FetchStopped("Stopped while another process was fetching.")

    def _is_cached(self, source: MirroredSource) -> bool:
        return Entry.of(self.cache, source.pin).files.is_dir()

    def _row(self, release: str, source: WeightsSource, mirrored: set[str] | None) -> WeightsRow:
        if isinstance(source, MirroredSource):
            entry = Entry.of(self.cache, source.pin)
            if entry.folder.is_dir() or not source.present(self.cache):
                return self._entry_row(release, entry, mirrored)
        folder = source.present(self.cache)
        return WeightsRow(
            release=release,
            weights=folder.name if folder else release,
            here="at hand" if folder else "absent",
            disk_bytes=0,
            used_at=None,
            in_use=False,
            mirrored=None,
            folder=str(folder or ""),
        )

    def _entry_row(
        self, release: str | None, entry: Entry, mirrored: set[str] | None
    ) -> WeightsRow:
        is_there = entry.folder.is_dir()
        used = entry.last_used()
        return WeightsRow(
            release=release,
            weights=entry.label,
            here=("whole" if whole(entry) else "in part") if is_there else "absent",
            disk_bytes=entry.disk_bytes(),
            used_at=datetime.fromtimestamp(used, UTC) if used else None,
            in_use=is_there and in_use(entry),
            mirrored=None if mirrored is None else entry.label in mirrored,
            folder=str(entry.files) if is_there else "",
        )


def open_node_weights(
    root: Path, state: Path, environment: str, tell: Tell, stop: Event
) -> NodeWeights:
    """Reads the settings; InputError says what is wrong with them."""
    return NodeWeights(root, state, read_settings(root, environment), tell, stop)


@contextmanager
def _explained(cache: Path) -> Iterator[None]:
    """An OSError as a WeightsError with its remedy."""
    try:
        yield
    except OSError as error:
        raise WeightsError(
            f"The weights in {cache} cannot be looked after: {error.strerror} ({error.filename}). "
            "Let this user write there, or point `cache` at another disk."
        ) from error


def _at_hand(folder: WeightsFolder) -> Ready:
    """Of weights that nobody has to fetch."""
    return Ready(
        f"{folder.manifest.release}@{folder.manifest.revision}",
        folder=str(folder.path),
        size_bytes=folder.manifest.size_bytes,
        fetched_bytes=0,
        seconds=0.0,
        had_from="elsewhere",
    )


def _found(source: WeightsSource, cache: Path) -> WeightsFolder:
    """Weights that are on this node; InputError if they are not."""
    if source.present(cache) is None:
        raise InputError(
            "the weights are not on this node.",
            where="wan weights verify",
            remedy="Fetch them with `wan weights fetch`.",
        )
    return source.ensure(cache)


def _told(folder: Path, problem: Problem) -> tuple[str, str]:
    return str(folder / problem.path), problem.detail
