"""The worker process: reads its task from standard input, renders, and reports in lines of JSON."""

import json
import logging
import os
import sys
import time
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import IO

from wan_pipelines.errors import WanError
from wan_pipelines.processes import limit_address_space
from wan_pipelines.rendering.progress import Progress
from wan_pipelines.studio.render_here import OpenEngine, render_here
from wan_pipelines.studio.studio import open_studio
from wan_pipelines.studio.supervised.messages import (
    Ending,
    Failure,
    Message,
    Said,
    Told,
    WorkerTask,
    to_json,
)
from wan_pipelines.units import GIB

ORPHAN_SECONDS = 600.0
"""What a worker gets to end its step and keep it, when its supervisor is gone."""
ORPHANED = 75


def main(open_engine: OpenEngine | None = None) -> int:
    """Do one task; the exit status is not 0 when an error was not one of ours."""
    stop = Event()
    reporter = Reporter(_claimed_stdout(), stop)
    task = _read_task()
    Thread(target=_end_with_supervisor, args=(stop,), name="orphan", daemon=True).start()
    try:
        reporter.send(_rendered(task, reporter, stop, open_engine))
    except WanError as error:
        reporter.send(Failure(error))
    return 0


def _rendered(
    task: WorkerTask, reporter: "Reporter", stop: Event, open_engine: OpenEngine | None
) -> Ending:
    studio = open_studio(task.root, task.state, task.environment).on(task.gpu_class)
    limit_gib = studio.settings.workers.memory_limit_gib
    if limit_gib:
        limit_address_space(int(limit_gib * GIB))
    rendered = render_here(
        studio,
        task.shard,
        task.run,
        say=lambda words: reporter.send(Said(words)),
        on_progress=reporter.tell,
        open_engine=open_engine,
        paid_since=task.paid_since,
        stop=stop,
    )
    return Ending(rendered.ending, rendered.summary)


@dataclass
class Reporter:
    """Writes messages; when nobody reads them any more, the worker is to stop."""

    lines: IO[bytes]
    stop: Event
    _lock: Lock = field(default_factory=Lock)

    def send(self, message: Message) -> None:
        line = json.dumps(to_json(message)).encode() + b"\n"
        try:
            with self._lock:
                self.lines.write(line)
        except BrokenPipeError:
            self.stop.set()

    def tell(self, progress: Progress | None) -> None:
        self.send(Told(progress))


def _read_task() -> WorkerTask:
    with open(0, "rb", closefd=False) as tasks:
        return WorkerTask.from_json(json.loads(tasks.readline()))


def _claimed_stdout() -> IO[bytes]:
    """Standard output for messages alone: whatever libraries print goes to standard error."""
    reports = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return reports


def _end_with_supervisor(stop: Event) -> None:
    """Waits for the end of standard input, which comes with the supervisor's."""
    os.read(0, 1)
    stop.set()
    time.sleep(ORPHAN_SECONDS)
    os._exit(ORPHANED)


if __name__ == "__main__":
    logging.basicConfig()
    sys.exit(main())
