"""The warm loop: one engine renders the shots of a shard one after the other.

The engine is loaded once, and only when there is something to render. While a shot renders, the
one before it is encoded and published in a thread. A shot that fails fails alone; shots another
worker is at are looked at again in the end. Everything is recorded as it happens.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Generic

from wan_pipelines.campaigns.shots import Shot
from wan_pipelines.engines.protocol import Engine
from wan_pipelines.errors import EngineError, WanError
from wan_pipelines.rendering.attempt import Attempt, Ended
from wan_pipelines.rendering.heartbeat import Heartbeat
from wan_pipelines.rendering.keeper import TakeKeeper
from wan_pipelines.rendering.ports import Busy, Declined, Done, File, Lease, Tail, TakeBook
from wan_pipelines.rendering.progress import OnProgress, Progress, told_nobody
from wan_pipelines.rendering.reports import DEFAULT_SETTINGS, ShardReport, WorkerSettings
from wan_pipelines.rendering.spans import NANOSECONDS, SpanRecorder
from wan_pipelines.rendering.streak import FailureStreak
from wan_pipelines.rendering.tail_line import LOST, TailLine
from wan_pipelines.rendering.takes import RunReference, Take


def render_shard(
    shots: Sequence[Shot],
    open_engine: Callable[[], Engine],
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
    open_engine: Callable[[], Engine]
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
    takes: list[Take] = field(default_factory=list)
    rendered: set[str] = field(default_factory=set)
    reused: set[str] = field(default_factory=set)
    busy: dict[str, Shot] = field(default_factory=dict)
    declined: dict[str, str] = field(default_factory=dict)
    is_worn: bool = False

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
        ended = {key for key, outcome in last.items() if outcome in ("accepted", "failed")}

        def names(keys: Collection[str]) -> tuple[str, ...]:
            return tuple(shot.name for shot in shots if shot.render_key in keys)

        return ShardReport(
            takes=tuple(sorted(self.takes, key=lambda take: take.started_at)),
            reused=names(self.reused),
            failed=names({key for key, outcome in last.items() if outcome == "failed"}),
            busy=names(self.busy),
            unfinished=names(self.shots.keys() - ended - self.reused - self.busy.keys()),
            declined={
                shot.name: self.declined[shot.render_key]
                for shot in shots
                if shot.render_key in self.declined
            },
            stopped=self.stop.is_set(),
            recycled=self.is_worn,
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
        return self.is_worn

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
        engine = self.engine = self.engine or self._load_for(lease)
        if self.stop.is_set():
            self._give_back(lease)
            return
        attempt = Attempt(
            shot=shot,
            lease=lease,
            engine=engine,
            run=self.run,
            clock=self.settings.clock,
            spans=self.spans,
            span_seconds=self.settings.span_seconds,
            at_step=lambda step, steps: self._at_step(shot, lease, step, steps),
            keeper=self._keeper(shot),
        )
        self._tell(shot, lease, 0, shot.request.sampling.steps)
        take, footage = attempt.make()
        self.on_progress(None)
        self.rendered.add(shot.render_key)
        self.streak.note(take)
        if footage:
            if self.line.is_full:
                self.spans.switch("wait")
            self.line.submit(shot, lease, take, footage)
        else:
            self.spans.switch("idle")
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

    def _load_for(self, lease: Lease) -> Engine:
        self.spans.switch("load")
        try:
            return self.open_engine()
        except WanError:
            self._give_back(lease)
            raise
        except Exception as error:
            self._give_back(lease)
            raise EngineError(
                f"The engine could not be loaded: {type(error).__name__}: {error}. "
                "No shot was touched; run again once the cause is removed."
            ) from error

    def _give_back(self, lease: Lease) -> None:
        self.heartbeat.drop(lease)
        self.book.release(lease)

    def _at_step(self, shot: Shot, lease: Lease, step: int, steps: int) -> None:
        """Called by the engine at each step's boundary."""
        self._tell(shot, lease, step, steps)
        if self.stop.is_set():
            raise Ended("cancelled", "The worker was told to stop.")
        if self.heartbeat.has_lost(lease):
            raise Ended("lost", LOST)
        if self.line.is_broken:
            raise Ended("cancelled", "Results cannot be recorded any more.")

    def _tell(self, shot: Shot, lease: Lease, step: int, steps: int) -> None:
        done = len(self.rendered) + len(self.reused)
        self.on_progress(Progress(shot.name, lease.take_id, step, steps, done, len(self.shots)))
