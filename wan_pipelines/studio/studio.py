"""The studio: one deployment's briefs, releases, store and ledger, opened together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote

from wan_pipelines.campaigns.brief import Brief, read_brief, read_briefs
from wan_pipelines.campaigns.expand import check_renditions, expand
from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.campaigns.texts import is_slug
from wan_pipelines.encoding.renditions import RENDITIONS
from wan_pipelines.engines.prepare import PreparedEngine, prepare
from wan_pipelines.engines.releases import Release, read_releases
from wan_pipelines.errors import InputError, StorageError
from wan_pipelines.from_environment import resolve
from wan_pipelines.hints import did_you_mean
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.places import below
from wan_pipelines.storage import ObjectStore, open_store
from wan_pipelines.studio.accounts import configure
from wan_pipelines.studio.settings import Settings, read_settings
from wan_pipelines.studio.supply import supply_of
from wan_pipelines.validation import shown
from wan_pipelines.weights.manifest import verify
from wan_pipelines.weights.mirrored import Supply
from wan_pipelines.weights.sources import WeightsFolder

T = TypeVar("T")


@dataclass(frozen=True)
class Studio:
    """Everything a step of the graph, or a command, needs to work.

    `root` holds `assets/` and `resources/`; `state` holds what is made here, as far as the
    settings do not place it elsewhere.
    """

    root: Path
    state: Path
    settings: Settings
    store: ObjectStore
    ledger: Ledger

    @cached_property
    def releases(self) -> dict[str, Release]:
        return read_releases(self.root / "assets")

    @property
    def cache(self) -> Path:
        return self.state / self.settings.cache

    def release(self, name: str) -> Release:
        """The release of that name; InputError suggests what was meant."""
        return named(self.releases, name, kind="release", where=self.root / "assets" / "models")

    @cached_property
    def checkpoints(self) -> ObjectStore:
        """Where half-rendered shots are kept. A power cut may lose them: they are not worth more
        than the steps they save, and one that was damaged by it is refused.
        """
        place = resolve(self.settings.checkpoints.store)
        return open_store(below(self.state, place), durable=False, s3=self.settings.s3)

    def briefs(self) -> dict[str, Brief]:
        """All briefs, read anew: somebody may be editing them."""
        return read_briefs(self.root / "assets")

    def brief(self, campaign: str) -> Brief:
        """The brief of that campaign as it stands on disk now."""
        path = self.folder_of(campaign) / "defs.yaml"
        if is_slug(campaign) and path.is_file():
            return read_brief(path)
        return named(
            self.briefs(), campaign, kind="campaign", where=self.root / "assets" / "campaigns"
        )

    def campaigns(self) -> list[str]:
        """The names of all campaigns, whether their briefs can be read or not."""
        briefs = (self.root / "assets" / "campaigns").glob("*/defs.yaml")
        return sorted(brief.parent.name for brief in briefs)

    def folder_of(self, campaign: str) -> Path:
        """Where the brief lies, and the prompt files beside it."""
        return self.root / "assets" / "campaigns" / campaign

    def on(self, gpu_class: str | None) -> Self:
        """This studio with another GPU class that renders; None: the environment's own."""
        return replace(self, settings=self.settings.on(gpu_class))

    def shots(self, campaign: str) -> tuple[Shot, ...]:
        """The brief expanded."""
        brief, folder = self.brief(campaign), self.folder_of(campaign)
        check_renditions(brief, RENDITIONS, folder)
        where = folder / "defs.yaml"
        release = named(self.releases, brief.release, kind="release", where=where)
        self.settings.tenant(brief.tenant, where=str(where))
        return expand(brief, release, folder)

    def link(self, key: str) -> str:
        """An address of an object that a browser opens."""
        base = self.settings.links
        return f"{base}/{quote(key)}" if base else self.store.link(key)

    def weights(self, release: str) -> WeightsFolder:
        """The release's weights on this machine, each file compared with its manifest: those that
        come from a store as they come, others now.
        """
        source = self.release(release).weights_source(self.supply)
        folder = source.ensure(self.cache / "weights")
        verify(folder.path, folder.manifest, digests=not folder.verified)
        return folder

    @cached_property
    def supply(self) -> Supply:
        """Where weights are fetched from that are not at hand."""
        return supply_of(self.state, self.settings)

    def prepare(self, release: str, *, digests: bool = True) -> PreparedEngine:
        """The release made ready for the device of this environment; see `engines.prepare`."""
        return prepare(
            self.release(release),
            self.cache / "weights",
            device=self.settings.rendering_class.device,
            threads=self.settings.workers.threads,
            supply=self.supply,
            digests=digests,
        )


def open_studio(root: Path, state: Path, environment: str) -> Studio:
    """Opens store and ledger, and tells the ledger what the settings say of tenants and prices.

    InputError, StorageError or LedgerError say which of them cannot be used, and why.
    """
    settings = read_settings(root, environment)
    _make_state_folder(state)
    ledger = Ledger.open(
        below(state, resolve(settings.ledger)), patience_seconds=settings.ledger_patience_seconds
    )
    configure(ledger, settings)
    store = open_store(below(state, resolve(settings.store)), s3=settings.s3)
    return Studio(root, state, settings, store, ledger)


def _make_state_folder(state: Path) -> None:
    try:
        state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The folder of what is made here, {state}, cannot be made: {error.strerror}. Let this "
            "user write there, or let WAN_PIPELINES_STATE name another folder."
        ) from error


def named(known: Mapping[str, T], name: str, *, kind: str, where: Path) -> T:
    """What has that name; InputError suggests what was meant."""
    if name not in known:
        raise InputError(
            f"there is no {kind} {shown(name)}.", where=str(where), remedy=did_you_mean(name, known)
        )
    return known[name]
