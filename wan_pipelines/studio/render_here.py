"""A shard rendered in this process."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import Literal

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.errors import EngineError
from wan_pipelines.ledger.budget_refusals import refuse_beyond_budget
from wan_pipelines.rendering.clock import Instant
from wan_pipelines.rendering.progress import OnProgress, each_told, told_nobody
from wan_pipelines.rendering.reports import ShardReport, WorkerSettings
from wan_pipelines.rendering.signals import stop_on_signals
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.rendering.worker import render_shard
from wan_pipelines.studio.books import LedgerBook
from wan_pipelines.studio.checkpoints import checkpoints_of, remove_old_checkpoints, told_of
from wan_pipelines.studio.deadlines import shot_limits
from wan_pipelines.studio.editions import shots_named
from wan_pipelines.studio.engines import open_release_engine
from wan_pipelines.studio.ladders import LedgerLadders
from wan_pipelines.studio.shard_records import ShardReference, ShardSummary, nothing_done
from wan_pipelines.studio.store_check import check_store
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.tails import EncodingTail
from wan_pipelines.studio.workers import close_dead_workers
from wan_pipelines.units import GIB

EndKind = Literal["done", "recycle", "exhausted"]
Say = Callable[[str], None]
OpenEngine = Callable[[Studio, str], Engine]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a shard in one process; unless `ending` is "done", a fresh one goes on."""

    summary: ShardSummary
    ending: EndKind


def render_here(
    studio: Studio,
    shard: ShardReference,
    run: RunReference,
    *,
    say: Say,
    on_progress: OnProgress = told_nobody,
    open_engine: OpenEngine | None = None,
    paid_since: Instant | None = None,
    stop: Event | None = None,
) -> Rendered:
    """Render a shard in this process, which is paid until the end of this call.

    It is paid since its start unless `paid_since` is another instant. `say` is told what became of
    checkpoints, `on_progress` of each step. SIGTERM and SIGINT set `stop`.

    A shot that fails does not fail the shard. RenderError when shot after shot fails the same way,
    EngineError or WeightsError when no engine can be had, or not the one that was planned for.
    """
    check_store(studio)
    close_dead_workers(studio)
    remove_old_checkpoints(studio)
    refuse_beyond_budget(studio.ledger, shard.edition, now=datetime.now(UTC))
    shots = shots_named(studio, shard.edition, shard.shots)
    if not shots:
        return Rendered(nothing_done(shard), "done")
    _check_release(studio, shots)
    with (
        LedgerBook.opened(studio, shard.edition, run, paid_since or Instant.of_birth()) as book,
        EncodingTail.opened(studio, shard.edition) as tail,
        stop_on_signals(stop or Event()) as stopped,
    ):
        report = render_shard(
            shots,
            partial(_opened, studio, shard.edition.tenant, open_engine),
            book,
            tail,
            run=run,
            settings=worker_settings(studio, book, shard),
            stop=stopped,
            on_progress=each_told(book.stand, on_progress),
        )
    _tell_of_checkpoints(report, shots, say)
    for name, reason in report.fell.items():
        say(f"{name}: {reason}")
    ending: EndKind = "recycle" if report.recycled else "done"
    return Rendered(_summary(shard.name, report), "exhausted" if report.exhausted else ending)


def _opened(
    studio: Studio, tenant: str, open_engine: OpenEngine | None, footing: Footing
) -> Engine:
    if open_engine:
        return open_engine(studio, footing.request.release)
    return open_release_engine(studio, footing.request.release, tenant=tenant, footing=footing)


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


def worker_settings(studio: Studio, book: LedgerBook, shard: ShardReference) -> WorkerSettings:
    workers, tenant = studio.settings.workers, shard.edition.tenant
    large = workers.recycle_above_gib
    settings = WorkerSettings(
        tail_depth=workers.tail_depth,
        tail_bytes=int(workers.tail_gib * GIB),
        renew_seconds=workers.lease_seconds / 4,
        recycle_after_shots=workers.recycle_after_videos,
        recycle_above_bytes=None if large is None else int(large * GIB),
        shot_seconds=shot_limits(studio),
        ladders=LedgerLadders(studio, tenant, exact=shard.exact),
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
    accepted = [take for take in report.takes if take.outcome == "accepted"]
    misses = Counter(take.compilation.missed for take in accepted if take.compilation.missed)
    return ShardSummary(
        shard=shard,
        accepted=len(accepted),
        reused=len(report.reused),
        failed=report.failed,
        left=(*report.busy, *report.unfinished),
        declined=report.declined,
        seconds={kind: round(value, 3) for kind, value in report.seconds.items()},
        artifact_hits=sum(bool(take.compilation.artifacts) for take in accepted),
        artifact_misses=dict(misses),
    )
