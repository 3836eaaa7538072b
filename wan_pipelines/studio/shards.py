"""Rendering the missing shots of an edition, shard by shard."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from threading import Event
from typing import Any, Self

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.errors import EngineError
from wan_pipelines.ledger.editions import EditionKey
from wan_pipelines.ledger.reports import (
    EditionTotals,
    ShotView,
    edition_shots_view,
    edition_totals,
)
from wan_pipelines.rendering.reports import ShardReport, WorkerSettings
from wan_pipelines.rendering.shards import cut as cut_shots
from wan_pipelines.rendering.signals import stop_on_signals
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.rendering.worker import render_shard
from wan_pipelines.studio.books import LedgerBook
from wan_pipelines.studio.checkpoints import checkpoints_of, remove_old_checkpoints, told_of
from wan_pipelines.studio.editions import missing_shots, shots_named
from wan_pipelines.studio.engines import open_release_engine
from wan_pipelines.studio.estimates import Estimator
from wan_pipelines.studio.shot_view import state_of
from wan_pipelines.studio.store_check import check_store
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.tails import EncodingTail
from wan_pipelines.studio.workers import close_dead_workers

Say = Callable[[str], None]
OpenEngine = Callable[[Studio, str], Engine]


@dataclass(frozen=True, slots=True)
class ShardReference:
    """A shard as it travels between processes: the names of shots of an edition."""

    name: str
    edition: EditionKey
    shots: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["name"], EditionKey(**data["edition"]), tuple(data["shots"]))


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What a shard did, small enough to travel.

    `left` are shots that it neither rendered nor found rendered; `declined` says of some why.
    """

    shard: str
    accepted: int
    reused: int
    failed: tuple[str, ...]
    left: tuple[str, ...]
    declined: Mapping[str, str]
    seconds: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class EditionTally:
    """What the shards of a launch came to, in the end."""

    shards: int
    render_seconds: float
    totals: EditionTotals
    failed: tuple[ShotView, ...]


def cut(
    studio: Studio, edition: EditionKey, *, only: Collection[str] | None = None
) -> tuple[ShardReference, ...]:
    """What is admitted and has no accepted take yet, in shards of the environment's size."""
    workers = studio.settings.workers
    missing = missing_shots(studio, edition, only)
    pieces = cut_shots(
        missing, Estimator(studio).seconds, workers.shard_minutes * 60, workers.count
    )
    return tuple(
        ShardReference(shard.name, edition, tuple(shot.name for shot in shard.shots))
        for shard in pieces
    )


def render(
    studio: Studio,
    shard: ShardReference,
    run: RunReference,
    *,
    say: Say,
    open_engine: OpenEngine | None = None,
) -> ShardSummary:
    """Render a shard in this process, which is paid from its start to the end of this call.

    A shot that fails does not fail the shard. RenderError when shot after shot fails the same way,
    EngineError or WeightsError when no engine can be had, or not the one that was planned for.
    """
    check_store(studio)
    close_dead_workers(studio)
    remove_old_checkpoints(studio)
    shots = shots_named(studio, shard.edition, shard.shots)
    if not shots:
        return ShardSummary(shard.name, 0, 0, (), shard.shots, {}, {})
    _check_release(studio, shots)
    opener = open_engine or partial(
        open_release_engine,
        tenant=shard.edition.tenant,
        engine=shots[0].request.sampling.engine,
    )
    with (
        LedgerBook.opened(studio, shard.edition, run) as book,
        EncodingTail.opened(studio, shard.edition) as tail,
        stop_on_signals(Event()) as stop,
    ):
        report = render_shard(
            shots,
            lambda: opener(studio, shots[0].request.release),
            book,
            tail,
            run=run,
            settings=worker_settings(studio, book, shard.edition.tenant),
            stop=stop,
            on_progress=lambda progress: say(str(progress)),
        )
    _tell_of_checkpoints(report, shots, say)
    return _summary(shard.name, report)


def _check_release(studio: Studio, shots: Sequence[Shot]) -> None:
    """The engine would refuse each shot alone, after it was loaded."""
    name, planned = shots[0].request.release, shots[0].request.release_identity
    present = studio.release(name).identity
    if present != planned:
        raise EngineError(
            f"The release {name} was changed after these shots were admitted: they were planned "
            f"for {planned[:12]}, it is {present[:12]} now. Run the edition again: it is admitted "
            "anew, for the release as it is."
        )


def worker_settings(studio: Studio, book: LedgerBook, tenant: str) -> WorkerSettings:
    workers = studio.settings.workers
    settings = WorkerSettings(
        tail_depth=workers.tail_depth,
        renew_seconds=workers.lease_seconds / 4,
        paid_since_ns=book.paid_since_ns,
    )
    seconds = studio.settings.checkpoints.every_seconds
    if seconds is None:
        return settings
    return replace(settings, checkpoint_seconds=seconds, checkpoints=checkpoints_of(studio, tenant))


def _tell_of_checkpoints(report: ShardReport, shots: Sequence[Shot], say: Say) -> None:
    names = {shot.render_key: shot.name for shot in shots}
    for take in report.takes:
        for words in told_of(take.checkpoint, was_accepted=take.outcome == "accepted"):
            say(f"{names[take.render_key]}: {words}")


def _summary(shard: str, report: ShardReport) -> ShardSummary:
    accepted = sum(take.outcome == "accepted" for take in report.takes)
    return ShardSummary(
        shard=shard,
        accepted=accepted,
        reused=len(report.reused),
        failed=report.failed,
        left=(*report.busy, *report.unfinished),
        declined=report.declined,
        seconds={kind: round(value, 3) for kind, value in report.seconds.items()},
    )


def tally(
    studio: Studio, edition: EditionKey, summaries: Sequence[Mapping[str, Any]]
) -> EditionTally:
    """The edition after its shards: totals, and the shots that failed with their errors."""
    shots = edition_shots_view(studio.ledger, edition)
    spent = [seconds for summary in summaries for seconds in summary["seconds"].values()]
    return EditionTally(
        shards=len(summaries),
        render_seconds=sum(spent),
        totals=edition_totals(studio.ledger, edition),
        failed=tuple(shot for shot in shots if state_of(shot) == "failed"),
    )
