"""Bounds on processor time, which do not depend on what else the machine does, and on plans."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.ledger.scenes import ERROR, Scene, shot, shots
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.takes import fail_take, renew_lease

SMALL = {"tenants", "plans", "users"}


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
    wanted = [shot(f"shot-{number}") for number in range(10_000)]
    with at_most(cpu_seconds=5):
        assert {a.state for a in scene.admit(wanted)} == {"admitted"}
    with at_most(cpu_seconds=3):
        scene.admit(wanted)


def test_the_bookkeeping_of_a_shot_takes_milliseconds(scene: Scene):
    wanted = [shot(f"shot-{number}") for number in range(100)]
    scene.admit(wanted)
    hand = scene.worker()
    with at_most(cpu_seconds=100 * 0.010):
        for candidate in wanted:
            hand.render(candidate)
            hand.beat()
        hand.close()


def test_no_step_of_rendering_reads_a_whole_table(scene: Scene):
    """However many shots, takes and charges there are: every row is found by an index."""
    statements: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, ___: Any, many: bool) -> None:
        if not many and not statement.startswith("BEGIN"):
            statements.append((statement, values))

    wanted = shots("a", "b")
    scene.admit(wanted)
    hand = scene.worker()
    event.listen(scene.ledger.engine, "before_cursor_execute", note)
    lease = hand.lease(wanted[0])
    renew_lease(scene.ledger, lease, lease_seconds=60, now=scene.now)
    hand.spend("denoise", 5, lease)
    hand.beat()
    hand.accept(lease)
    fail_take(scene.ledger, hand.lease(wanted[1]), ERROR, now=scene.now)
    hand.close()
    event.remove(scene.ledger.engine, "before_cursor_execute", note)
    assert len(statements) > 30
    for statement, values in statements:
        assert scanned(scene.ledger, statement, values) <= SMALL, statement


def scanned(ledger: Ledger, statement: str, values: Any) -> set[str]:
    """The tables that SQLite would read from beginning to end."""
    with ledger.read() as session:
        connection = session.connection()
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    steps = [row[3].split() for row in plan]
    return {step[1] for step in steps if step[0] == "SCAN"} - {"CONSTANT"}
