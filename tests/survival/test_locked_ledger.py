"""A ledger that another process keeps locked."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from tests.survival.scenes import PROMPTS, Scene
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.studio import planning


@contextmanager
def locked(scene: Scene) -> Iterator[None]:
    """Somebody writes and does not come to an end."""
    file = scene.project.state / "ledger.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_a_lock_longer_than_anybody_waits_ends_the_shard(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "first", wait_at=PROMPTS[1], ledger_wait_seconds=0.5)
    hand.until_it_waits()
    with locked(scene):
        hand.go_on()
        answer = hand.answer()
    assert answer.error == "LedgerError"
    assert "is locked by another process. Wait until that process is done" in answer.message
    scene.run()
    scene.check()


def test_a_short_lock_is_waited_for(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), wait_at=PROMPTS[1])
    hand.until_it_waits()
    with locked(scene):
        hand.go_on()
        time.sleep(1)
    assert hand.answer().summary["accepted"] == len(PROMPTS)
    scene.publish()
    scene.check()


def test_nothing_is_admitted_while_it_is_locked(scene: Scene) -> None:
    file = scene.project.state / "ledger.sqlite"
    studio = replace(scene.studio, ledger=Ledger.open(file, wait_seconds=0.1))
    with locked(scene), pytest.raises(LedgerError, match="is locked by another process"):
        planning.admit(studio, "balls", "one")
    scene.run()
    scene.check()
