"""What one tenant can do to another through each function of the ledger: nothing."""

from dataclasses import replace

import pytest

from tests.ledger import books
from tests.ledger.scenes import ERROR, REPORT, Scene, files, shots
from wan_pipelines.errors import LeaseLost, LedgerError, NotAdmitted
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import all_editions, edition_shots, latest_edition
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.leases import lease_shot, release_lease, renew_lease
from wan_pipelines.ledger.lineage import trace
from wan_pipelines.ledger.reports import (
    cost_totals,
    edition_shots_view,
    edition_totals,
    output_files,
    run_costs,
    videos,
)
from wan_pipelines.ledger.takes import accept_take, add_renditions, fail_take, forget_outputs
from wan_pipelines.ledger.workers import close_worker, heartbeat

THEIRS = EditionKey("acme", "ada", "demo", "first")
AS_MINE = replace(THEIRS, tenant="bolt", user="bob")
MINE = EditionKey("bolt", "bob", "demo", "mine")


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    scene = Scene(ledger)
    scene.admit(shots("a", "b"), THEIRS)
    hand = scene.worker(THEIRS)
    hand.render(shots("a")[0])
    hand.close()
    scene.admit(shots("mine"), MINE)
    return scene


def test_one_tenant_sees_nothing_of_another(scene: Scene):
    (video,) = videos(scene.ledger, "acme")
    assert videos(scene.ledger, "bolt", "demo", "first") == ()
    assert output_files(scene.ledger, "bolt") == ()
    assert run_costs(scene.ledger, "bolt") == ()
    assert cost_totals(scene.ledger, "user", "bolt") == ()
    assert all_editions(scene.ledger, "bolt") == (MINE,)
    assert latest_edition(scene.ledger, "bolt", "demo") == MINE
    assert edition_shots(scene.ledger, AS_MINE) == ()
    for look in (edition_shots_view, edition_totals):
        with pytest.raises(LedgerError, match="no edition demo/first of tenant bolt"):
            look(scene.ledger, AS_MINE)
    for name in (video.uri, video.sha256, video.take_id, video.render_key):
        with pytest.raises(LedgerError, match="is no video of tenant bolt"):
            trace(scene.ledger, "bolt", name)


def test_one_tenant_cannot_render_or_charge_on_anothers_account(scene: Scene):
    ours, theirs = scene.worker(MINE), scene.worker(THEIRS)
    b = shots("b")[0]
    with pytest.raises(NotAdmitted):
        ours.ask(b)
    for edition, worker in ((THEIRS, ours.id), (MINE, theirs.id)):
        with pytest.raises(LedgerError, match="is not open in the ledger"):
            lease_shot(scene.ledger, edition, b.render_key, worker, lease_seconds=60, now=scene.now)
    with pytest.raises(LedgerError, match="is not open in the ledger"):
        heartbeat(scene.ledger, "bolt", theirs.id, now=scene.now)
    with pytest.raises(LedgerError, match="has no worker"):
        close_worker(scene.ledger, "bolt", theirs.id, now=scene.now)


def test_one_tenant_cannot_end_anothers_takes(scene: Scene):
    ours, theirs = scene.worker(MINE), scene.worker(THEIRS)
    lease = theirs.lease(shots("b")[0])
    stolen = replace(lease, tenant="bolt", worker_id=ours.id)
    now, ledger = scene.now, scene.ledger
    for deed in (
        lambda: renew_lease(ledger, stolen, lease_seconds=60, now=now),
        lambda: release_lease(ledger, stolen, now=now),
        lambda: accept_take(ledger, stolen, REPORT, files(lease.take_id), now=now),
        lambda: fail_take(ledger, stolen, ERROR, now=now),
    ):
        with pytest.raises(LeaseLost, match="Tenant bolt has no take"):
            deed()
    theirs.accept(lease)
    books.check(ledger)


def test_one_tenant_cannot_touch_anothers_files(scene: Scene):
    (video,) = videos(scene.ledger, "acme")
    assert forget_outputs(scene.ledger, "bolt", video.render_key, "x", now=scene.now) is None
    with pytest.raises(LedgerError, match="is not accepted"):
        add_renditions(scene.ledger, "bolt", video.take_id, [], now=scene.now)
    assert videos(scene.ledger, "acme") == (video,)
