"""Bounds on processor time, which do not depend on what else the machine does, and on plans."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.ledger.scenes import DEMO, ERROR, Scene, shot, shots
from tests.ledger.turnstile import ELSEWHERE, Turnstile
from wan_pipelines.ledger.budgets import Budget, Budgets
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import edition_shots, latest_edition
from wan_pipelines.ledger.leases import renew_lease
from wan_pipelines.ledger.lineage import trace
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.reports import (
    edition_shots_view,
    edition_totals,
    output_files,
    run_costs,
    videos,
)
from wan_pipelines.ledger.takes import fail_take, forget_outputs
from wan_pipelines.ledger.turn_records import Asker
from wan_pipelines.ledger.turns import line, renew_turns
from wan_pipelines.ledger.whose import House
from wan_pipelines.ledger.workers import close_lost_workers

RUNNING_TAKES = "USING INDEX ux_takes_running"
SMALL = {"tenants", "plans", "users", "served"}


@contextmanager
def at_most(*, cpu_seconds: float) -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began <= cpu_seconds


@pytest.fixture
def scene(tmp_path: Path, migrated_file: Path) -> Iterator[Scene]:
    file = tmp_path / "ledger.db"
    file.write_bytes(migrated_file.read_bytes())
    with Ledger.open(file) as ledger:
        yield Scene(ledger)


def test_ten_thousand_shots_are_admitted_in_seconds(scene: Scene):
    """Again as well, when all that waits counts towards a budget."""
    wanted = [shot(f"shot-{number}") for number in range(10_000)]
    budgets = Budgets(month=Budget(10**12))
    with at_most(cpu_seconds=5):
        assert {a.state for a in scene.admit(wanted, budgets=budgets)} == {"admitted"}
    with at_most(cpu_seconds=3):
        scene.admit(wanted, budgets=budgets)


def test_the_bookkeeping_of_a_shot_takes_milliseconds(scene: Scene):
    wanted = [shot(f"shot-{number}") for number in range(100)]
    scene.admit(wanted)
    hand = scene.worker()
    with at_most(cpu_seconds=100 * 0.010):
        for candidate in wanted:
            hand.render(candidate)
            hand.beat()
        hand.close()


@contextmanager
def no_table_read_as_a_whole(ledger: Ledger) -> Iterator[None]:
    """However many shots, takes and charges there are: every row is found by an index."""
    statements: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, ___: Any, many: bool) -> None:
        if not many and not statement.startswith("BEGIN"):
            statements.append((statement, values))

    event.listen(ledger.engine, "before_cursor_execute", note)
    yield
    event.remove(ledger.engine, "before_cursor_execute", note)
    assert statements
    for statement, values in statements:
        assert scanned(ledger, statement, values) <= SMALL, statement


def test_rendering_reads_no_table_as_a_whole(scene: Scene):
    wanted = shots("a", "b")
    scene.admit(wanted)
    hand = scene.worker()
    with no_table_read_as_a_whole(scene.ledger):
        lease = hand.lease(wanted[0])
        renew_lease(scene.ledger, lease, lease_seconds=60, now=scene.now)
        hand.spend("denoise", 5, lease)
        hand.beat()
        hand.accept(lease)
        fail_take(scene.ledger, hand.lease(wanted[1]), ERROR, now=scene.now)
        lease_again = hand.lease(wanted[1], seconds=0)
        hand.lease(wanted[1])
        assert lease_again
        hand.close()


def test_looking_after_editions_and_workers_reads_no_table_as_a_whole(scene: Scene):
    wanted = shots("a", "b", "c")
    scene.admit(wanted)
    hand = scene.worker()
    take_id = hand.render(wanted[0])
    with no_table_read_as_a_whole(scene.ledger):
        scene.admit([wanted[0], shot("b", "another prompt")])
        quota_left(scene.ledger, "acme", "ada", now=scene.now)
        latest_edition(scene.ledger, "acme", "demo")
        edition_shots(scene.ledger, DEMO)
        edition_totals(scene.ledger, DEMO)
        edition_shots_view(scene.ledger, DEMO)
        output_files(scene.ledger, "acme", "demo", "first")
        videos(scene.ledger, "acme", "demo", "first")
        run_costs(scene.ledger, "acme", run_id="run-1")
        trace(scene.ledger, "acme", take_id)
        forget_outputs(scene.ledger, "acme", wanted[0].render_key, "lost", now=scene.now)
        close_lost_workers(scene.ledger, now=scene.later(hours=1), grace=timedelta(minutes=1))


def test_a_turn_is_asked_for_in_a_time_that_does_not_depend_on_those_that_have_ended(scene: Scene):
    turnstile = Turnstile(scene.ledger)
    turnstile.line_up("run", "a", "b", "c")
    turnstile.ask("run", "a", "b", "c")
    turnstile.later(hours=5)
    with no_table_read_as_a_whole(scene.ledger):
        turnstile.ask("run", "a", "b", "c")
        renew_turns(scene.ledger, Asker(("run",), ELSEWHERE), now=turnstile.now)
        line(scene.ledger, House("operator"), now=turnstile.now)
        turnstile.end("run")


def scanned(ledger: Ledger, statement: str, values: Any) -> set[str]:
    """The tables that SQLite would read from beginning to end, but for what runs right now."""
    with ledger.read(House("audit")) as session:
        connection = session.connection()
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    steps = [row[3] for row in plan if RUNNING_TAKES not in row[3]]
    scans = {step.split()[1] for step in steps if step.startswith("SCAN")}
    return scans - {"CONSTANT"}
