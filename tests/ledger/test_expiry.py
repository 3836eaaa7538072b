"""What was reserved for a run that vanished is free again after a while."""

from datetime import timedelta

import pytest

from tests.ledger import books
from tests.ledger.scenes import Scene, shots
from tests.ledger.test_quotas import SPRING
from wan_pipelines.errors import QuotaExceeded
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.expiry import expire_reservations
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.workers import close_lost_workers

IDLE = timedelta(hours=6)


def expire(scene: Scene) -> int:
    return expire_reservations(scene.ledger, idle_for=IDLE, now=scene.now)


def test_what_nobody_works_on_is_given_back(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit(shots(*"abcde"), SPRING)
    scene.later(hours=5)
    assert expire(scene) == 0
    scene.later(hours=2)
    assert expire(scene) == 5
    assert expire(scene) == 0
    assert quota_left(ledger, "bolt", "bob", now=scene.now).used == 0
    books.check(ledger)


def test_whoever_comes_later_reserves_anew(ledger: Ledger):
    scene = Scene(ledger)
    wanted = shots("a", "b")
    scene.admit(wanted, SPRING)
    scene.later(hours=7)
    expire(scene)
    hand = scene.worker(SPRING)
    hand.render(wanted[0])
    assert quota_left(ledger, "bolt", "bob", now=scene.now).used == 1
    other = EditionKey("bolt", "bob", "autumn", "first")
    scene.admit(shots(*"vwxyz"), other)
    with pytest.raises(QuotaExceeded):
        hand.ask(wanted[1])
    books.check(ledger)


def test_what_a_worker_is_at_is_kept(ledger: Ledger):
    scene = Scene(ledger)
    wanted = shots("a", "b", "c")
    scene.admit(wanted, SPRING)
    hand = scene.worker(SPRING)
    hand.lease(wanted[0], seconds=10**6)
    scene.later(hours=7)
    hand.beat()
    assert expire(scene) == 0, "it is alive"
    scene.later(hours=7)
    assert expire(scene) == 2, "it is silent, and at one of them"
    close_lost_workers(ledger, now=scene.now, grace=IDLE)
    assert expire(scene) == 1
    books.check(ledger)
