"""The thread that renders jobs one after the other, and the one that encodes the one before."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Semaphore, Thread

from wan_pipelines.engines.protocol import Engine, Footage
from wan_pipelines.errors import RenderError, WanError
from wan_pipelines.serving.files import VideoFiles
from wan_pipelines.serving.job_store import JobStore
from wan_pipelines.serving.jobs import Job, Position
from wan_pipelines.serving.meters import Meters

log = logging.getLogger(__name__)

WAITING_TO_BE_ENCODED = 2
MOST_ATTEMPTS = 3
LOOK_SECONDS = 30.0


class _Deleted(Exception):
    """Raised at a step's boundary: nobody wants the video any more."""


class _Stopped(Exception):
    """Raised at a step's boundary: the server ends."""


@dataclass(kw_only=True)
class RenderLoop:
    """One engine and its queue.

    `positions` and `deleted` go by job id. Others add to `deleted` what they have deleted from the
    store; only the loop takes away from it.
    """

    open_engine: Callable[[], Engine]
    store: JobStore
    files: VideoFiles
    meters: Meters
    keep_seconds: float
    finish_job: bool = False
    """Whether the job under way is finished before the loop ends."""
    ready: Event = field(default_factory=Event)
    over: Event = field(default_factory=Event)
    positions: dict[str, Position] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    problem: Exception | None = None

    def __post_init__(self) -> None:
        self._stop = Event()
        self._wake = Event()
        self._places = Semaphore(WAITING_TO_BE_ENCODED)
        self._encoder = ThreadPoolExecutor(1, thread_name_prefix="encode")
        self._thread = Thread(target=self._run, name="render")
        self._seconds_per_job = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends at the next step, or after the job under way; what is rendered is encoded yet."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    def wait_seconds(self, jobs: int) -> int:
        """About how long until so many jobs are rendered; at least a second."""
        return max(1, round(jobs * self._seconds_per_job))

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    def _run(self) -> None:
        try:
            engine = self.open_engine()
            self.ready.set()
            self.meters.is_ready()
            while not self._stop.is_set():
                self._sweep()
                self.deleted.clear()  # these are gone from the store: the next job is none of them
                job = self.store.begin_next()
                if job is None:
                    self._wake.wait(LOOK_SECONDS)
                    self._wake.clear()
                elif job.attempts > MOST_ATTEMPTS:
                    self._give_up(job)
                else:
                    self._render(engine, job)
        except Exception as error:
            log.exception("The engine has stopped.")
            self.problem = error
        finally:
            self.ready.clear()
            self._encoder.shutdown(wait=True)
            self.over.set()

    def _render(self, engine: Engine, job: Job) -> None:
        request = job.order.request
        started = time.monotonic()
        self.positions[job.id] = Position(0, request.sampling.steps)
        self.meters.rendering()
        try:
            footage = engine.render(request, lambda step, steps: self._at_step(job, step, steps))
        except _Deleted:
            self._forget(job, "cancelled")
        except _Stopped:
            self.store.put_back(job.id)
        except WanError as error:
            self._fail(job, error.stage if isinstance(error, RenderError) else "render", str(error))
        except Exception as error:
            log.exception("Job %s failed.", job.id)
            self._fail(job, "render", f"{type(error).__name__}: see the server's log.")
        else:
            self._note(footage, time.monotonic() - started)
            self._places.acquire()
            self._encoder.submit(self._encode, job, footage)
        finally:
            self.meters.idle()

    def _at_step(self, job: Job, step: int, steps: int) -> None:
        self.positions[job.id] = Position(step, steps)
        if step:
            self.meters.step()
        if job.id in self.deleted:
            raise _Deleted
        if self._stop.is_set() and not self.finish_job:
            raise _Stopped

    def _note(self, footage: Footage, seconds: float) -> None:
        stages = footage.stages
        self.meters.stage("text", stages.text)
        self.meters.stage("denoise", stages.denoise_high + stages.denoise_low)
        self.meters.stage("decode", stages.decode)
        self.meters.frames(len(footage.frames))
        self.meters.compilation(footage.compilation)
        before = self._seconds_per_job or seconds
        self._seconds_per_job = 0.8 * before + 0.2 * seconds

    def _encode(self, job: Job, footage: Footage) -> None:
        started = time.monotonic()
        try:
            self.files.write(job, footage.frames)
            if not self.store.complete(job.id, expires_at=self._expiry()):
                self._forget(job, "cancelled")
                return
            self.positions.pop(job.id, None)
            self.meters.ended("completed")
            self.meters.stage("encode", time.monotonic() - started)
        except WanError as error:
            self._fail(job, "encode", str(error))
        except Exception as error:
            log.exception("The video of job %s could not be written.", job.id)
            self._fail(job, "encode", f"{type(error).__name__}: see the server's log.")
        finally:
            self._places.release()

    def _give_up(self, job: Job) -> None:
        message = f"The server ended {MOST_ATTEMPTS} times while it rendered this video."
        self._fail(job, "render", message)

    def _fail(self, job: Job, stage: str, message: str) -> None:
        self.positions.pop(job.id, None)
        self.files.remove(job.id)
        self.store.fail(job.id, f"{stage}_failed", message, expires_at=self._expiry())
        self.meters.ended("failed")

    def _forget(self, job: Job, outcome: str) -> None:
        self.positions.pop(job.id, None)
        self.files.remove(job.id)
        self.meters.ended(outcome)

    def _expiry(self) -> float:
        return time.time() + self.keep_seconds

    def _sweep(self) -> None:
        for job_id in self.store.remove_expired():
            self.files.remove(job_id)
