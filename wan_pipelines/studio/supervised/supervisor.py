"""Looks after the worker processes of a shard: forwards signals, replaces what dies."""

import signal
from dataclasses import dataclass, replace
from threading import Event

from wan_pipelines.errors import RenderError, WorkerDied
from wan_pipelines.ledger.workers import last_paid
from wan_pipelines.processes import out_of_memory_kills
from wan_pipelines.rendering.clock import Instant
from wan_pipelines.rendering.progress import ProgressTold
from wan_pipelines.rendering.signals import stop_on_signals
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.studio.render_here import Say
from wan_pipelines.studio.shard_records import ShardReference, ShardSummary, nothing_done
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.supervised.ages import StepAge
from wan_pipelines.studio.supervised.children import (
    Child,
    Reports,
    StartChild,
    start_child,
    started,
)
from wan_pipelines.studio.supervised.deaths import summary_of_dead, told_status
from wan_pipelines.studio.supervised.kills import (
    Cause,
    cause_of_death,
    fail_killed,
    hung_at,
)
from wan_pipelines.studio.supervised.messages import (
    Ending,
    Failure,
    Message,
    Said,
    Told,
    WorkerTask,
)
from wan_pipelines.studio.workers import close_dead_workers

LOOK_SECONDS = 0.2
SAME_FAILURES = 3


def render_supervised(
    studio: Studio,
    shard: ShardReference,
    run: RunReference,
    *,
    say: Say,
    start: StartChild = start_child,
) -> ShardSummary:
    """Render a shard in worker processes, one after the other; this one never loads an engine.

    The workers are paid without a gap from the start of this process to the end of the last one.
    Raises what the worker raised (see `render_here`), and WorkerDied when one after the other is
    killed.
    """
    with stop_on_signals(Event()) as stop:
        return _Supervisor(studio, shard, run, say, start, stop).work()


def following(task: WorkerTask, ending: Ending) -> WorkerTask | None:
    """What a fresh worker goes on with after one that has ended in order; None: it is the end."""
    left = ending.summary.left
    if ending.kind == "done" or not left:
        return None
    return replace(task, shard=replace(task.shard, shots=left))


@dataclass
class _Supervisor:
    studio: Studio
    shard: ShardReference
    run: RunReference
    say: Say
    start: StartChild
    stop: Event
    deaths: int = 0
    failures: int = 0
    last: Ending | Failure | None = None

    def __post_init__(self) -> None:
        self.age = self._new_age()
        self.tell_progress = ProgressTold(self.say)

    def work(self) -> ShardSummary:
        summary = nothing_done(self.shard)
        task: WorkerTask | None = self._task()
        while task:
            ending = self._ending_of(task)
            summary = summary.joined(ending.summary)
            self._check_exhausted(ending)
            task = None if self.stop.is_set() else following(task, ending)
            if task:
                task = replace(task, paid_since=self._paid_until(task))
        return summary

    def _task(self) -> WorkerTask:
        studio = self.studio
        return WorkerTask(
            root=studio.root,
            state=studio.state,
            environment=studio.settings.name,
            gpu_class=studio.settings.gpu_class,
            shard=self.shard,
            run=self.run,
            paid_since=Instant.of_birth(),
        )

    def _ending_of(self, task: WorkerTask) -> Ending:
        """Has the task done. What a worker did that died is looked up in the ledger."""
        self.age, self.last = self._new_age(), None
        kills = out_of_memory_kills()
        with started(self.start, task) as child:
            self._follow(child)
            status = child.wait()
        match self.last:
            case Ending("done", summary) if self.age.hung:
                return Ending("recycle", summary)  # it was told to stop for one shot's sake
            case Ending():
                return self.last
            case Failure(error):
                raise error
            case _:
                cause = self._cause(status, kills)
                killed = cause and self._after_kill(task, child.pid, cause)
                return killed or self._after_death(task, status)

    def _cause(self, status: int, kills: int | None) -> Cause | None:
        """Why a worker ended without a word, if that is to do with its shot."""
        if self.age.hung and self.age.progress:
            return hung_at(self.age.progress)
        is_limited = self.studio.settings.workers.memory_limit_gib is not None
        return cause_of_death(status, kills, is_limited=is_limited)

    def _check_exhausted(self, ending: Ending) -> None:
        """RenderError when process after process runs out with nothing to go on with."""
        failed = ending.summary.failed
        fails = ending.kind == "exhausted" and failed and not ending.summary.accepted
        self.failures = self.failures + 1 if fails else 0
        if self.failures >= SAME_FAILURES and ending.summary.left:
            raise RenderError(
                f"{self.failures} shots in a row ran out of memory or time, so the shard stops; "
                f"shots that are left: {len(ending.summary.left)}. `wan lineage` says of each how "
                "it failed.",
                stage="denoise",
            )

    def _after_kill(self, task: WorkerTask, pid: int, cause: Cause) -> Ending | None:
        """The shot fails, or goes on on a lower rung; the others are none the worse for it."""
        killed = fail_killed(self.studio, task, self.age.progress, pid, cause)
        if killed is None:
            return None
        close_dead_workers(self.studio)
        summary = summary_of_dead(self.studio, task.shard, task.run, task.paid_since.at)
        if killed.next_try.goes_on:
            failed = tuple(name for name in summary.failed if name != killed.shot)
            summary = replace(summary, failed=failed, left=(killed.shot, *summary.left))
        self.say(f"{killed.shot}: {cause.words} {killed.next_try.reason}")
        return Ending("exhausted", summary)

    def _follow(self, child: Child) -> None:
        reports, told = Reports(child), False
        while (messages := reports.read(LOOK_SECONDS)) is not None:
            for message in messages:
                self._hear(message)
            if self.stop.is_set() and not told:
                child.send_signal(signal.SIGTERM)
                told = True
            number = self.age.signal()
            if number:
                child.send_signal(number)

    def _new_age(self) -> StepAge:
        return StepAge(self.studio.settings.deadlines.grace_seconds)

    def _hear(self, message: Message) -> None:
        match message:
            case Said(words):
                self.say(words)
            case Told(progress):
                self.age.heard(progress)
                self.tell_progress(progress)
            case Ending() | Failure():
                self.last = message

    def _after_death(self, task: WorkerTask, status: int) -> Ending:
        self.deaths += 1
        close_dead_workers(self.studio)
        summary = summary_of_dead(self.studio, task.shard, task.run, task.paid_since.at)
        cause, progress = told_status(status), self.age.progress
        if self.deaths > self.studio.settings.workers.restarts and summary.left:
            raise WorkerDied(
                f"Workers of {task.shard.name} died {self.deaths} times, the last one {cause}"
                f"{f' at {progress}' if progress else ''}. Shots without a video: "
                f"{len(summary.left)}. What is accepted is kept. Look at the step's log and at the "
                "machine's memory, then run the edition again."
            )
        self.say(f"The worker died, {cause}. Shots that are left: {len(summary.left)}.")
        return Ending("recycle", summary)

    def _paid_until(self, task: WorkerTask) -> Instant:
        """The end of the last worker, as the ledger knows it: the next one is paid from there."""
        since, edition = task.paid_since, task.shard.edition
        until = last_paid(self.studio.ledger, edition.tenant, task.run.run_id, task.run.step_key)
        return since if until is None or until <= since.at else since.moved_to(until)
