"""Rules that must hold between real processes, some of which are killed at a bad moment."""

from datetime import UTC, datetime, timedelta

from tests.ledger import books
from tests.ledger.racers import run_racers
from tests.ledger.scenes import Scene, shot
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.quotas import quota_left
from wan_pipelines.ledger.reports import edition_shots_view
from wan_pipelines.ledger.tenants import Plan, Tenant, configure
from wan_pipelines.ledger.workers import close_lost_workers

LIMIT = 40


def crowded(ledger: Ledger) -> Scene:
    scene = Scene(ledger, now=datetime.now(UTC))
    crowd = Tenant("crowd", "narrow", "Pacific/Kiritimati", ("cleo",))
    configure(ledger, [Plan("narrow", LIMIT)], [crowd], now=scene.now)
    return scene


def test_eight_processes_never_admit_more_than_the_limit(url: str, ledger: Ledger):
    scene = crowded(ledger)
    told = run_racers(
        "admit_editions", [(url, "cleo", f"campaign-{n}", 4, 4) for n in range(8)], kill=2
    )
    left = quota_left(ledger, "crowd", "cleo", now=scene.now)
    assert (left.used, left.left) == (LIMIT, 0)
    assert sum(filter(None, told)) <= LIMIT
    books.check(ledger)


def test_eight_workers_render_every_shot_once_though_some_are_killed(url: str, ledger: Ledger):
    scene = crowded(ledger)
    edition = EditionKey("crowd", "cleo", "race", "first")
    names = [f"shot-{number}" for number in range(24)]
    scene.admit([shot(name) for name in names], edition)
    arguments = [(url, ("crowd", "cleo", "race", "first"), names)] * 8
    run_racers("render_edition", arguments, kill=3)
    later = datetime.now(UTC) + timedelta(minutes=5)
    close_lost_workers(ledger, now=later, grace=timedelta(minutes=1))
    views = edition_shots_view(ledger, edition)
    assert {view.outcome for view in views} == {"accepted"}
    assert len(books.accepted_takes(ledger)) == len(names)
    assert quota_left(ledger, "crowd", "cleo", now=scene.now).used == len(names)
    books.check(ledger)
