"""Where an environment's weights are mirrored, and how its nodes fetch them. Needs no ledger."""

from functools import partial
from pathlib import Path
from threading import Event

from wan_pipelines.from_environment import resolve
from wan_pipelines.places import below
from wan_pipelines.storage import open_store
from wan_pipelines.studio.settings import Settings
from wan_pipelines.weights.events import Tell, tell_nobody
from wan_pipelines.weights.mirror import WeightsMirror
from wan_pipelines.weights.mirrored import Supply
from wan_pipelines.weights.node.fetching import Fetching


def weights_cache(state: Path, settings: Settings) -> Path:
    """The folder of this node's weights."""
    return state / settings.cache / "weights"


def weights_mirror(state: Path, settings: Settings) -> WeightsMirror:
    """The weights in the environment's store; StorageError or InputError if it cannot be used."""
    place = resolve(settings.weights.store or settings.store)
    # A connection for each file; those that serve parts of one file are the store's own business.
    s3 = settings.s3.model_copy(
        update={"parallel": max(settings.s3.parallel, settings.weights.parallel)}
    )
    return WeightsMirror(open_store(below(state, place), s3=s3))


def supply_of(
    state: Path, settings: Settings, *, tell: Tell = tell_nobody, stop: Event | None = None
) -> Supply:
    """What weights are fetched from that are not at hand."""
    fetching = Fetching(
        parallel=settings.weights.parallel,
        keep_bytes=settings.weights.keep_bytes,
        tell=tell,
        stop=stop or Event(),
    )
    return Supply(
        open_mirror=partial(weights_mirror, state, settings),
        fetching=fetching,
        allow_download=settings.allow_download,
    )
