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
from wan_pipelines.ledger.workers import open_workers
from wan_pipelines.processes import host_name, out_of_memory_kills
from wan_pipelines.rendering.ladders import Verdict
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


OUT_OF_MEMORY = Cause(
    "memory", "OutOfMemoryKill", "The kernel killed the worker: the machine was out of memory."
)


def hung_at(progress: Progress) -> Cause:
    """It was inside a step for longer than the shot may take."""
    return Cause(
        "time",
        "DeadlineExceeded",
        f"The worker hung and was killed: nothing happened for {progress.limit_seconds:g} s after "
        f"step {progress.step} of {progress.steps}.",
    )


def was_out_of_memory(status: int, kills_before: int | None) -> bool:
    """Whether a worker with that exit status is one that the kernel has killed since.

    Anybody may send SIGKILL, so the kernel's own count must have grown.
    """
    kills = out_of_memory_kills()
    if kills is None or kills_before is None:
        return False
    return status == -signal.SIGKILL and kills > kills_before


def fail_killed(
    studio: Studio, task: WorkerTask, progress: Progress, pid: int, cause: Cause
) -> Verdict:
    """Fail the take that a worker was killed at, and say whether its shot goes on on a lower rung.

    To be called before the worker is closed.
    """
    (shot,) = shots_named(studio, task.shard.edition, [progress.shot])
    ladders = LedgerLadders(studio, task.shard.edition.tenant, exact=task.shard.exact)
    footing = ladders.present(shot)
    verdict = ladders.gave_out(shot, footing, cause.kind)
    now = datetime.now(UTC)
    for worker in open_workers(studio.ledger, host_name()):
        if worker.pid == pid:
            lease = Lease(worker.tenant, shot.render_key, progress.take_id, worker.id, now)
            words = f"{cause.words} {verdict.reason}".rstrip()
            report = _report(studio, footing, progress, cause.error_type, words)
            fail_take(studio.ledger, lease, report, now=now)
    return verdict


def _report(
    studio: Studio, footing: Footing, progress: Progress, error_type: str, words: str
) -> TakeReport:
    request = footing.request
    stage = "decode"
    if progress.step < progress.steps:
        release = studio.release(request.release)
        stage = denoising_stage(release, request.sampling, progress.step)
    return TakeReport(
        seed=request.seed,
        steps=progress.step,
        release=request.release,
        error_type=error_type,
        error_message=words,
        error_stage=stage,
        descent=descent_of(footing),
    )
