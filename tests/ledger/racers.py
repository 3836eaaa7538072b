"""Real processes that use one ledger at once. They start together, from a fork server."""

import json
import multiprocessing
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text

from tests.ledger.scenes import REPORT, files, shot
from wan_pipelines.errors import LeaseLost
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import admit
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.leases import Busy, Lease, lease_shot
from wan_pipelines.ledger.takes import accept_take
from wan_pipelines.ledger.turn_records import Asker, Rules
from wan_pipelines.ledger.turns import take_turns
from wan_pipelines.ledger.whose import House
from wan_pipelines.ledger.workers import (
    WorkerPlace,
    close_lost_workers,
    close_worker,
    heartbeat,
    open_worker,
)
from wan_pipelines.scheduling.policy import FairShare
from wan_pipelines.scheduling.records import Slots

PATIENCE_SECONDS = 60
WORKER_THREADS = 6
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload([__name__, "alembic.command"])


def run_racers(name: str, arguments: Sequence[tuple[Any, ...]], *, kill: int = 0) -> list[Any]:
    """Run a function of this module once per tuple of arguments, each in a process of its own.

    Returns what the functions returned, `None` for those that were killed: the first `kill` of
    them, with SIGKILL, one after the other while they work. What a racer raises fails the test.
    """
    start = context.Barrier(len(arguments) + 1)
    with TemporaryDirectory() as folder:
        racers = [
            context.Process(target=_race, args=(name, values, start, Path(folder) / str(place)))
            for place, values in enumerate(arguments)
        ]
        for racer in racers:
            racer.start()
        start.wait(PATIENCE_SECONDS)
        for racer in racers[:kill]:
            time.sleep(0.05)
            racer.kill()
        for racer in racers:
            racer.join(PATIENCE_SECONDS)
            assert racer.exitcode is not None, "a racer hangs"
        return [_result(Path(folder) / str(place)) for place in range(len(arguments))]


def _race(name: str, values: tuple[Any, ...], start: Any, result: Path) -> None:
    start.wait(PATIENCE_SECONDS)
    try:
        answer = {"answer": globals()[name](*values)}
    except Exception:
        answer = {"error": traceback.format_exc()}
    result.with_suffix(".part").write_text(json.dumps(answer))
    result.with_suffix(".part").rename(result)


def _result(file: Path) -> Any:
    if not file.exists():
        return None
    told = json.loads(file.read_text())
    assert "error" not in told, told["error"]
    return told["answer"]


def open_and_close(url: str) -> str:
    with Ledger.open(url):
        return "opened"


def crowd(url: str, moments: int) -> str:
    """What a worker's three threads do at once, again and again, as often as they can."""
    with Ledger.open(url) as ledger, ThreadPoolExecutor(WORKER_THREADS) as threads:

        def use(_: int) -> None:
            with ledger.look(House("audit")) as transaction:
                transaction.execute(text("SELECT pg_sleep(0.005)"))

        list(threads.map(use, range(moments)))
    return "done"


def admit_editions(url: str, user: str, campaign: str, editions: int, shots_each: int) -> int:
    """Admit editions of a user as fast as possible; returns how many shots were admitted."""
    admitted = 0
    with Ledger.open(url) as ledger:
        for number in range(editions):
            key = EditionKey("crowd", user, campaign, str(number))
            wanted = [shot(f"shot-{number}-{place}") for place in range(shots_each)]
            decided = admit(ledger, key, wanted, now=datetime.now(UTC))
            admitted += sum(admission.state == "admitted" for admission in decided)
    return admitted


def ask_for_turns(url: str, run: str, slots: int) -> int:
    """Ask for both shards of a run, again and again; returns how many began."""
    rules = Rules(FairShare(), {"h100": Slots(slots)}, {})
    began: set[str] = set()
    with Ledger.open(url) as ledger:
        for _ in range(5):
            now, asker = datetime.now(UTC), Asker((run,), f"host-of-{run}:1:1")
            waiting = {"a", "b"} - began
            began |= set(take_turns(ledger, asker, waiting, rules, now=now).began)
    return len(began)


def render_edition(url: str, edition: tuple[str, str, str, str], names: list[str]) -> int:
    """Render what nobody else renders until everything is accepted; returns accepted takes."""
    key = EditionKey(*edition)
    accepted = 0
    with Ledger.open(url) as ledger:
        place = WorkerPlace("run", "takes", "laptop-cpu")
        worker = open_worker(ledger, key, place, now=datetime.now(UTC))
        remaining = names
        while remaining:
            busy: list[str] = []
            for name in remaining:
                now = datetime.now(UTC)
                render_key = shot(name).render_key
                answer = lease_shot(ledger, key, render_key, worker, lease_seconds=0.5, now=now)
                if isinstance(answer, Busy):
                    busy.append(name)
                if not isinstance(answer, Lease):
                    continue
                time.sleep(0.01)  # somebody may be killed right here
                with suppress(LeaseLost):
                    taken = files(answer.take_id, answer.tenant)
                    accept_take(ledger, answer, REPORT, taken, now=datetime.now(UTC))
                    accepted += 1
            remaining = busy
            heartbeat(ledger, key.tenant, worker, now=datetime.now(UTC))
            close_lost_workers(ledger, now=datetime.now(UTC), grace=timedelta(seconds=1))
            time.sleep(0.02)
        close_worker(ledger, key.tenant, worker, now=datetime.now(UTC))
    return accepted
