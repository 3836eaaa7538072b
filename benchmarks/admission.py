"""How fast shots are admitted within limits: whole editions at once, and one shot after the other.

The plan has a limit of each measure in each scope, and none of them is reached: every admission
adds up what was used of all of them.
"""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any
from unittest import SkipTest

from benchmarks.results import Row, show_and_keep
from wan_pipelines.ledger.admission import Candidate
from wan_pipelines.ledger.amounts import MEASURES, Amount
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import admit
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.limits import SCOPES, Limit
from wan_pipelines.ledger.tenants import Plan, Tenant, configure

AMPLE = 1 << 50
PLAN = Plan("ample", further=tuple(Limit(s, m, AMPLE) for s in SCOPES for m in MEASURES))
EXPECTED = Amount(1, 95_000_000, 71_000)
SECONDS = 10
SHOTS = 10_000


def run(processes: int) -> None:
    """Editions of 10,000 shots on SQLite; single shots from `processes` on PostgreSQL."""
    tables: dict[str, list[Row]] = {"Editions of 10,000 shots, SQLite": list(_editions())}
    try:
        with _postgres() as url:
            title = f"Single shots from {processes} processes, PostgreSQL"
            tables[title] = [_singles(url, processes, tenants) for tenants in (1, processes)]
    except SkipTest as reason:
        print(f"No PostgreSQL: {reason}")
    show_and_keep("admission", tables)


def _editions() -> Iterator[Row]:
    wanted = [_candidate(f"shot-{number}") for number in range(SHOTS)]
    with TemporaryDirectory() as folder, _ledger(Path(folder) / "ledger.sqlite", 1) as ledger:
        edition = EditionKey("tenant-0", "ada", "large", "first")
        for what in ("first admission", "admitted again"):
            began, cpu = perf_counter(), process_time()
            decided = admit(ledger, edition, wanted, now=datetime.now(UTC))
            if any(each.state != "admitted" for each in decided):
                raise RuntimeError("a shot was not admitted")
            yield {
                "what": what,
                "seconds": round(perf_counter() - began, 2),
                "cpu_seconds": round(process_time() - cpu, 2),
            }


def _singles(url: str, processes: int, tenants: int) -> Row:
    with _ledger(url, tenants):
        pass
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    start = context.Barrier(processes)
    with context.Pool(processes, _wait_with, (start,)) as pool:
        counts = pool.starmap(_admit_singly, [(url, place, tenants) for place in range(processes)])
    return {
        "tenants": tenants,
        "admissions": sum(counts),
        "admissions_per_second": round(sum(counts) / SECONDS),
    }


_start: Barrier


def _wait_with(start: Barrier) -> None:
    global _start  # noqa: PLW0603 (a barrier is handed to processes as they begin)
    _start = start


def _admit_singly(url: str, place: int, tenants: int) -> int:
    """Editions of one shot each, as fast as they go; how many."""
    count = 0
    with Ledger.open(url, migrate=False) as ledger:
        _start.wait(60)
        began = perf_counter()
        while perf_counter() - began < SECONDS:
            name = f"{tenants}-{place}-{count}"
            edition = EditionKey(f"tenant-{place % tenants}", "ada", "single", name)
            (decided,) = admit(ledger, edition, [_candidate(name)], now=datetime.now(UTC))
            count += decided.state == "admitted"
    return count


@contextmanager
def _ledger(url: Path | str, tenants: int) -> Iterator[Ledger]:
    with Ledger.open(url) as ledger:
        known = [
            Tenant(f"tenant-{number}", PLAN.name, "UTC", ("ada",)) for number in range(tenants)
        ]
        configure(ledger, [PLAN], known, now=datetime.now(UTC))
        yield ledger


@contextmanager
def _postgres() -> Iterator[str]:
    """A private server that keeps what it confirms."""
    import pytest

    from tests.support.postgres import running_postgres

    try:
        with running_postgres() as server:
            yield server.new_database(durable=True)
    except pytest.skip.Exception as reason:
        raise SkipTest(str(reason)) from reason


def _candidate(name: str) -> Candidate:
    request: dict[str, Any] = {"release": "any", "prompt": f"{name} moves to the left", "seed": 7}
    key = name.encode().hex().ljust(64, "0")
    return replace(Candidate(name, key, request, "draft", 16), amount=EXPECTED)
