"""The warm loop: one engine renders the shots of a shard one after the other.

The engine is loaded once, and only when there is something to render. While a shot renders, the
one before it is encoded and published in a thread. A shot that fails fails alone; shots another
worker is at are looked at again in the end. Everything is recorded as it happens.
"""

import gc
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Generic

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.ladder.exhaustion import exhaustion_of
from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.errors import EngineError, Exhausted, WanError
from wan_pipelines.rendering.attempt import Attempt, not_loaded
from wan_pipelines.rendering.boundaries import Boundary
from wan_pipelines.rendering.heartbeat import Heartbeat
from wan_pipelines.rendering.keeper import TakeKeeper
from wan_pipelines.rendering.ports import Busy, Declined, Done, File, Lease, Tail, TakeBook
from wan_pipelines.rendering.progress import OnProgress, told_nobody
from wan_pipelines.rendering.reports import DEFAULT_SETTINGS, ShardReport, WorkerSettings
from wan_pipelines.rendering.spans import NANOSECONDS, SpanRecorder
from wan_pipelines.rendering.streak import FailureStreak
from wan_pipelines.rendering.tail_line import TailLine
from wan_pipelines.rendering.takes import RunReference, Take


def render_shard(
    shots: Sequence[Shot],
    open_engine: Callable[[Footing], Engine],
    book: TakeBook[File],
    tail: Tail[File],
    *,
    run: RunReference,
    settings: WorkerSettings = DEFAULT_SETTINGS,
    stop: Event | None = None,
    on_progress: OnProgress = told_nobody,
) -> ShardReport:
    """Renders what of `shots` has no accepted take yet; shots with the same key count as one.

    Setting `stop` ends the shot under way within one step, keeping how far it is where there are
    checkpoints, and begins nothing new. EngineError (or
    WeightsError) means that no engine could be had, RenderError that shot after shot failed the
    same way, LedgerError that the book could not be written; what was paid is recorded in any case.
    """
    with (
        Heartbeat(book, settings.renew_seconds) as heartbeat,
        TailLine(book, tail, heartbeat, settings) as line,
    ):
        worker = _Worker(
            shots={shot.render_key: shot for shot in shots},
            open_engine=open_engine,
            book=book,
            run=run,
            settings=settings,
            stop=stop or Event(),
            streak=FailureStreak(settings.same_failures),
            heartbeat=heartbeat,
            line=line,
            spans=SpanRecorder(settings.clock, book.spent, paid_since_ns=settings.paid_since_ns),
            on_progress=on_progress,
        )
        worker.work()
    return worker.report(shots)


@dataclass(kw_only=True)
class _Worker(Generic[File]):
    """The state of one `render_shard` call; everything here runs in the rendering thread.

    `shots`, `busy` and the rest go by render key.
    """

    shots: Mapping[str, Shot]
    open_engine: Callable[[Footing], Engine]
    book: TakeBook[File]
    run: RunReference
    settings: WorkerSettings
    stop: Event
    streak: FailureStreak
    heartbeat: Heartbeat
    line: TailLine[File]
    spans: SpanRecorder
    on_progress: OnProgress
    engine: Engine | None = None
    loaded_as: tuple[object, ...] = ()
    takes: list[Take] = field(default_factory=list)
    rendered: set[str] = field(default_factory=set)
    reused: set[str] = field(default_factory=set)
    busy: dict[str, Shot] = field(default_factory=dict)
    declined: dict[str, str] = field(default_factory=dict)
    fell: dict[str, str] = field(default_factory=dict)
    is_worn: bool = False
    is_exhausted: bool = False

    def work(self) -> None:
        """Visits every shot, then those again that were somebody else's."""
        try:
            self._visit_each(tuple(self.shots.values()))
            self._wait_for_others()
        finally:
            self.spans.switch("wait")
            self.line.close()
            self.spans.close()

    def report(self, shots: Sequence[Shot]) -> ShardReport:
        """The sums, in names of `shots`; several of them may share a render key."""
        last = {take.render_key: take.outcome for take in self.takes}
        failed = {key for key, outcome in last.items() if outcome == "failed"} - self.fell.keys()
        ended = failed | {key for key, outcome in last.items() if outcome == "accepted"}

        def names(keys: Collection[str]) -> tuple[str, ...]:
            return tuple(shot.name for shot in shots if shot.render_key in keys)

        def reasons(found: Mapping[str, str]) -> dict[str, str]:
            return {s.name: found[s.render_key] for s in shots if s.render_key in found}

        return ShardReport(
            takes=tuple(sorted(self.takes, key=lambda take: take.started_at)),
            reused=names(self.reused),
            failed=names(failed),
            busy=names(self.busy),
            unfinished=names(self.shots.keys() - ended - self.reused - self.busy.keys()),
            declined=reasons(self.declined),
            stopped=self.stop.is_set(),
            recycled=self.is_worn,
            exhausted=self.is_exhausted,
            fell=reasons(self.fell),
            nanoseconds=dict(self.spans.nanoseconds),
        )

    def _visit_each(self, shots: Sequence[Shot]) -> None:
        for shot in shots:
            if self.stop.is_set() or self._wears_out():
                return
            self.streak.check()
            self.line.check()
            self.spans.switch("idle")
            self._visit(shot)

    def _wears_out(self) -> bool:
        """Whether a fresh process should render the next shot: never before this one rendered."""
        self.is_worn = self.is_worn or self.settings.is_worn_after(len(self.rendered))
        return self.is_worn or self.is_exhausted

    def _visit(self, shot: Shot) -> None:
        key = shot.render_key
        answer = self.book.lease(shot)
        if isinstance(answer, Busy):
            self.busy[key] = shot
            return
        self.busy.pop(key, None)
        match answer:
            case Done():
                self.reused.add(key)
            case Declined(reason):
                self.declined[key] = reason
            case Lease():
                self._render(shot, answer)

    def _wait_for_others(self) -> None:
        """Looks at other workers' shots until each is accepted, or its lease has run out."""
        patience_ns = int(self.settings.busy_patience_seconds * NANOSECONDS)
        deadline_ns = self.settings.clock.monotonic_ns() + patience_ns
        while True:
            self._drain()
            self._visit_each(tuple(self.busy.values()))
            self._drain()
            if (
                not self.busy
                or self.stop.is_set()
                or self.is_worn
                or self.is_exhausted
                or self.settings.clock.monotonic_ns() >= deadline_ns
            ):
                return
            self.spans.switch("wait")
            self.stop.wait(self.settings.busy_poll_seconds)

    def _drain(self) -> None:
        self.spans.switch("wait")
        for take in self.line.drain():
            self._keep(take)

    def _keep(self, take: Take) -> None:
        self.takes.append(take)
        if take.outcome == "lost":
            self.rendered.discard(take.render_key)
            self.busy[take.render_key] = self.shots[take.render_key]

    def _render(self, shot: Shot, lease: Lease) -> None:
        self.heartbeat.hold(lease)
        footing = self.settings.ladders.footing(shot)
        began = self.settings.clock.now()
        engine = self._engine_for(lease, footing)
        if isinstance(engine, Exhausted):
            self._fail(shot, lease, not_loaded(lease, footing, self.run, engine, began))
            return
        if self.stop.is_set():
            self._give_back(lease)
            return
        boundary = self._boundary(shot, lease)
        attempt = Attempt(
            shot=shot,
            lease=lease,
            engine=engine,
            footing=footing,
            run=self.run,
            clock=self.settings.clock,
            spans=self.spans,
            span_seconds=self.settings.span_seconds,
            at_step=boundary,
            keeper=self._keeper(shot),
        )
        boundary.tell(0, footing.request.sampling.steps)
        take, footage = attempt.make()
        self.on_progress(None)
        self.rendered.add(shot.render_key)
        self.streak.note(take)
        if footage:
            self.settings.ladders.held(shot, footing)
            if self.line.is_full(footage):
                self.spans.switch("wait")
            self.line.submit(shot, lease, take, footage)
        else:
            self._fail(shot, lease, take)

    def _fail(self, shot: Shot, lease: Lease, take: Take) -> None:
        """A take without footage. What gave out leaves this process to a fresh one."""
        self.spans.switch("idle")
        if take.exhausted and take.footing:
            self.is_exhausted = True
            next_try = self.settings.ladders.gave_out(shot, take.footing, take.exhausted)
            if next_try.goes_on:
                self.fell[shot.render_key] = next_try.reason
            take = take.with_reason(next_try.reason)
        self._record(lease, take)

    def _keeper(self, shot: Shot) -> TakeKeeper | None:
        settings = self.settings
        if settings.checkpoints is None:
            return None
        return TakeKeeper(
            checkpoints=settings.checkpoints,
            render_key=shot.render_key,
            every_seconds=settings.checkpoint_seconds,
            clock=settings.clock,
        )

    def _record(self, lease: Lease, take: Take) -> None:
        """A take that has no footage."""
        self.heartbeat.drop(lease)
        self.book.fail(lease, take)
        self._keep(take)

    def _engine_for(self, lease: Lease, footing: Footing) -> Engine | Exhausted:
        """The engine that is loaded for a footing, in place of another that there may be."""
        loading = (footing.request.release, footing.offload)
        if self.engine is None or self.loaded_as != loading:
            self.engine = None
            gc.collect()
            loaded = self._load_for(lease, footing)
            if isinstance(loaded, Exhausted):
                return loaded
            self.engine, self.loaded_as = loaded, loading
        return self.engine

    def _load_for(self, lease: Lease, footing: Footing) -> Engine | Exhausted:
        self.spans.switch("load")
        try:
            return self.open_engine(footing)
        except Exception as error:
            kind = exhaustion_of(error)
            if kind:
                return Exhausted(str(error) or type(error).__name__, stage="load", kind=kind)
            self._give_back(lease)
            if isinstance(error, WanError):
                raise
            raise EngineError(
                f"The engine could not be loaded: {type(error).__name__}: {error}. "
                "No shot was touched; run again once the cause is removed."
            ) from error

    def _give_back(self, lease: Lease) -> None:
        self.heartbeat.drop(lease)
        self.book.release(lease)

    def _boundary(self, shot: Shot, lease: Lease) -> Boundary:
        limit = self.settings.shot_seconds
        return Boundary(
            shot=shot.name,
            take_id=lease.take_id,
            shots_done=len(self.rendered) + len(self.reused),
            shots=len(self.shots),
            limit_seconds=limit(shot) if limit else None,
            began_ns=self.settings.clock.monotonic_ns(),
            clock=self.settings.clock,
            stop=self.stop,
            has_lost=lambda: self.heartbeat.has_lost(lease),
            recalled=lambda: self.heartbeat.recalled(lease),
            is_broken=lambda: self.line.is_broken,
            on_progress=self.on_progress,
        )
