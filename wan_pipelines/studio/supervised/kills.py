"""Workers that were killed for the shot they were at, which fails or goes on with less."""

import signal
from dataclasses import dataclass
from datetime import UTC, datetime

from wan_pipelines.engines.ladder.footings import Footing
from wan_pipelines.engines.ladder.stages import denoising_stage
from wan_pipelines.errors import ExhaustionKind
from wan_pipelines.ledger.leases import Lease
from wan_pipelines.ledger.records import TakeReport
from wan_pipelines.ledger.takes import fail_take
from wan_pipelines.ledger.workers import open_takes, open_workers
from wan_pipelines.processes import host_name, out_of_memory_kills
from wan_pipelines.rendering.ladders import NextTry
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.studio.books import descent_of
from wan_pipelines.studio.editions import shots_named
from wan_pipelines.studio.ladders import LedgerLadders
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.supervised.messages import WorkerTask


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a worker was killed in the middle of a shot."""

    kind: ExhaustionKind
    error_type: str
    words: str


@dataclass(frozen=True, slots=True)
class Killed:
    """The shot that a worker was at, and whether it goes on on a lower rung."""

    shot: str
    next_try: NextTry


OUT_OF_MEMORY = Cause(
    "memory", "OutOfMemoryKill", "The kernel killed the worker: the machine was out of memory."
)
ABORTED = Cause(
    "memory",
    "OutOfMemoryAbort",
    "A library aborted the worker, which had reached its memory limit.",
)


def hung_at(progress: Progress) -> Cause:
    """It was inside a step for longer than the shot may take."""
    return Cause(
        "time",
        "DeadlineExceeded",
        f"The worker hung and was killed: nothing happened for {progress.limit_seconds:g} s after "
        f"step {progress.step} of {progress.steps}.",
    )


def cause_of_death(status: int, kills_before: int | None, *, is_limited: bool) -> Cause | None:
    """What gave out, if the exit status of a worker says so.

    Anybody may send SIGKILL, so the kernel's own count must have grown. Libraries in Rust and C++
    abort where Python raises; they may have other reasons, but for a limit to their memory.
    """
    if status == -signal.SIGABRT and is_limited:
        return ABORTED
    kills = out_of_memory_kills()
    if status != -signal.SIGKILL or kills is None or kills_before is None:
        return None
    return OUT_OF_MEMORY if kills > kills_before else None


def fail_killed(
    studio: Studio, task: WorkerTask, progress: Progress | None, pid: int, cause: Cause
) -> Killed | None:
    """Fail the take that a worker was killed at, and say whether its shot goes on on a lower rung.

    Without `progress` it was loading. None where it is not known what it was at. To be called
    before the worker is closed.
    """
    lease = _lease_of(studio, pid, progress)
    named = shots_named(studio, task.shard.edition, task.shard.shots)
    shot = next((shot for shot in named if lease and shot.render_key == lease.render_key), None)
    if lease is None or shot is None:
        return None
    ladders = LedgerLadders(studio, task.shard.edition.tenant, exact=task.shard.exact)
    footing = ladders.present(shot)
    next_try = ladders.gave_out(shot, footing, cause.kind)
    report = TakeReport(
        seed=footing.request.seed,
        steps=progress.step if progress else 0,
        release=footing.request.release,
        error_type=cause.error_type,
        error_message=f"{cause.words} {next_try.reason}".rstrip(),
        error_stage=_stage(studio, footing, progress),
        descent=descent_of(footing),
    )
    fail_take(studio.ledger, lease, report, now=datetime.now(UTC))
    return Killed(shot.name, next_try)


def _lease_of(studio: Studio, pid: int, progress: Progress | None) -> Lease | None:
    """Of the take that a worker renders, or loads for; others may be on their way to the store."""
    for worker in open_workers(studio.ledger, host_name()):
        if worker.pid == pid:
            takes = open_takes(studio.ledger, [worker.id])
            if progress:
                takes = tuple(take for take in takes if take.take_id == progress.take_id)
            if len(takes) == 1:
                (take,) = takes
                now = datetime.now(UTC)
                return Lease(take.tenant, take.render_key, take.take_id, worker.id, now)
    return None


def _stage(studio: Studio, footing: Footing, progress: Progress | None) -> str:
    if progress is None:
        return "load"
    if progress.step >= progress.steps:
        return "decode"
    release = studio.release(footing.request.release)
    return denoising_stage(release, footing.request.sampling, progress.step)
