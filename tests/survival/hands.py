"""Worker processes to be killed, stopped and starved: they render a shard on an engine of no cost.

They are forked from a server that has everything imported, as the steps of a run are, so that one
starts in a moment. A worker may be told to die at its n-th moment: each call and return in the
product's code, C functions included, is one. That is spread over transactions, renames and
threads as no clock could spread it, and the same on a slow machine.
"""

import json
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import av  # noqa: F401 (imported once, before processes are forked)
import numpy as np
import PIL.WebPImagePlugin  # noqa: F401

from tests.survival.starving import import_engine, open_starving
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.engines.prepare import load
from wan_pipelines.engines.protocol import Engine, Footage, Keeper, OnStep
from wan_pipelines.engines.requests import RenderRequest
from wan_pipelines.errors import WanError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.storage.atomic import atomic_write
from wan_pipelines.studio import books
from wan_pipelines.studio.books import LedgerBook
from wan_pipelines.studio.shard_records import ShardReference, ShardSummary
from wan_pipelines.studio.shards import render
from wan_pipelines.studio.studio import Studio, open_studio
from wan_pipelines.studio.supervised import child, kills, supervisor
from wan_pipelines.studio.supervised.nursery import open_nursery
from wan_pipelines.studio.supervised.supervisor import render_supervised

PATIENCE_SECONDS = 120
PRODUCT = f"{os.sep}wan_pipelines{os.sep}"

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__])


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker is to do.

    die_at: the moment at which it kills itself; none: it lives, and counts its moments.
    wait_at: the prompt in whose step number `wait_step` it waits, having made the file `reached`,
        until there is a file `go_on`; both lie in `folder`.
    greedy_at: the prompt whose render takes more memory than there is; "load": loading does.
    memory_bytes: how much address space it may take beyond what it has.
    clock_jump_seconds: by how much its clock is set while it waits.
    variables: of the process environment, besides those that all tests have.
    ledger_wait_seconds: how long it waits for a locked ledger.
    ledger_patience_seconds: how long it waits for a ledger's server that is away.
    real_engine: it loads the release's weights.
    silent: it gives no sign of life, as a process or a node that hangs for a while.
    supervised: a worker process of its own renders, and all of this happens to that one.
    kernel_kills: the kernel counts each such death as one for want of memory.
    starving: it lacks memory for all but the lowest rungs; see `tests.survival.starving`.
    dies_at: the prompt in whose step 1 that process kills itself, each time.
    """

    root: Path
    state: Path
    shard: Mapping[str, Any]
    run: str
    folder: Path
    die_at: int | None = None
    count: bool = False
    wait_at: str = ""
    wait_step: int = 1
    greedy_at: str = ""
    memory_bytes: int | None = None
    seconds_per_step: float = 0.0
    silent: bool = False
    clock_jump_seconds: float = 0.0
    variables: Mapping[str, str] = field(default_factory=dict)
    ledger_wait_seconds: float = 30.0
    ledger_patience_seconds: float = 0.0
    real_engine: bool = False
    supervised: bool = False
    dies_at: str = ""
    kernel_kills: bool = False
    starving: bool = False

    @property
    def reached(self) -> Path:
        return self.folder / "reached"

    @property
    def go_on(self) -> Path:
        return self.folder / "go-on"

    @property
    def answer(self) -> Path:
        return self.folder / "answer.json"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a worker ended, if it lived to tell: a summary, or an error of ours."""

    summary: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    message: str = ""
    moments: int = 0
    said: tuple[str, ...] = ()


class TestedEngine:
    """Renders as another engine does, and does to its process what the errand says."""

    __test__ = False

    def __init__(self, inner: Engine, errand: Errand) -> None:
        self.name = inner.name
        self.release = inner.release
        self.fingerprint = inner.fingerprint
        self.load_seconds = inner.load_seconds
        self._inner = inner
        self._errand = errand

    def render(
        self, request: RenderRequest, on_step: OnStep | None = None, keeper: Keeper | None = None
    ) -> Footage:
        errand = self._errand

        def step(number: int, steps: int) -> None:
            time.sleep(errand.seconds_per_step)
            if number == errand.wait_step and request.prompt == errand.wait_at:
                errand.reached.touch()
                wait_for(errand.go_on)
                SetClock.ahead = timedelta(seconds=errand.clock_jump_seconds)
            if number == 1 and request.prompt == errand.greedy_at:
                exhaust_memory()
            if number == 1 and request.prompt == errand.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if on_step:
                on_step(number, steps)

        return self._inner.render(request, step, keeper)


class SetClock(datetime):
    """The wall clock after somebody set it."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) + cls.ahead


@dataclass(frozen=True, slots=True)
class Hand:
    """A worker process, seen from the test."""

    process: BaseProcess
    errand: Errand

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def until_it_waits(self) -> None:
        wait_for(self.errand.reached, self.process)

    def go_on(self) -> None:
        self.errand.go_on.touch()

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9, whatever state it is in."""
        self.process.kill()
        self.process.join(PATIENCE_SECONDS)

    def ended(self) -> int:
        """The exit code."""
        self.process.join(PATIENCE_SECONDS)
        assert not self.process.is_alive(), "the worker does not end"
        assert self.process.exitcode is not None
        return self.process.exitcode

    def answer(self) -> Answer:
        """What it said in the end."""
        assert self.ended() == 0
        return Answer(**json.loads(self.errand.answer.read_text()))


def begin(errand: Errand) -> Hand:
    """A process that does the errand."""
    errand.folder.mkdir(parents=True)
    process = processes.Process(target=_work, args=(errand,), daemon=True)
    process.start()
    return Hand(process, errand)


def wait_for(path: Path, process: BaseProcess | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not appear"
        assert process is None or process.is_alive(), f"the worker died before {path} was there"
        time.sleep(0.01)


def exhaust_memory() -> None:
    """MemoryError, as soon as a limit is reached."""
    kept = []
    while True:
        kept.append(np.empty(1 << 26, dtype=np.uint8))


def limit_memory(further_bytes: int) -> None:
    """Let this process take only so much address space more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + further_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _way_to_work(errand: Errand) -> Callable[..., ShardSummary]:
    """Renders a shard on the errand's engine, in this process or in one of its own."""

    def open_engine(studio: Studio, release: str) -> Engine:
        if errand.greedy_at == "load":
            exhaust_memory()
        if errand.starving:
            return open_starving(studio, release, errand.folder)
        if errand.real_engine:
            return TestedEngine(load(studio.prepare(release)), errand)
        return TestedEngine(NullEngine(studio.release(release)), errand)

    if errand.starving:
        import_engine()
    if errand.supervised:
        nursery = open_nursery(partial(child.main, open_engine))
        return partial(render_supervised, start=nursery.child)
    return partial(render, open_engine=open_engine)


def _work(errand: Errand) -> None:
    os.environ.update(errand.variables, OMP_NUM_THREADS="1")
    work = _way_to_work(errand)
    said: list[str] = []
    books.datetime = SetClock
    studio = open_studio(errand.root, errand.state, "local")
    ledger = Ledger.open(
        studio.ledger.engine.url.render_as_string(hide_password=False),
        wait_seconds=errand.ledger_wait_seconds,
        patience_seconds=errand.ledger_patience_seconds,
    )
    studio = replace(studio, ledger=ledger)
    moments = _Moments(errand.die_at)
    if errand.count or errand.die_at is not None:
        moments.watch()
    if errand.kernel_kills:
        supervisor.out_of_memory_kills = kills.out_of_memory_kills = count().__next__
    if errand.silent:
        LedgerBook.beat = LedgerBook.renew = lambda *_: None  # pyright: ignore
    if errand.memory_bytes is not None:
        limit_memory(errand.memory_bytes)

    answer: dict[str, Any] = {"said": said}
    shard = ShardReference.from_json(errand.shard)
    run = RunReference(errand.run, errand.shard["name"])
    try:
        summary = work(studio, shard, run, say=said.append)
        answer["summary"] = summary.to_json()
    except WanError as error:
        answer |= {"error": type(error).__name__, "message": str(error)}
    sys.setprofile(None)
    with atomic_write(errand.answer, durable=False) as file:
        file.write(json.dumps({**answer, "moments": moments.seen}).encode())


class _Moments:
    """Counts what the product's code does, and ends it all at one of them."""

    def __init__(self, last: int | None) -> None:
        self.seen = 0
        self._last = last
        self._numbers = count(1)
        self._ours: dict[CodeType, bool] = {}

    def watch(self) -> None:
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if code not in self._ours:
            self._ours[code] = PRODUCT in code.co_filename
        if not self._ours[code]:
            return
        self.seen = next(self._numbers)
        if self.seen == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
