"""An audit finds what does not add up, wherever it came from, and touches nothing."""

from sqlalchemy import insert, text, update

from tests.ledger.scenes import REPORT, Scene, shots
from wan_pipelines.ledger.audits import discrepancies
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.tables import EditionShotRow, QuotaEntryRow, TakeRow, WorkerRow
from wan_pipelines.ledger.whose import House


def busy(ledger: Ledger) -> Scene:
    """One shot is rendered, one is being rendered, one waits."""
    scene = Scene(ledger)
    wanted = shots("a", "b", "c")
    scene.admit(wanted)
    done = scene.worker()
    done.render(wanted[0])
    done.close()
    scene.worker().lease(wanted[1])
    return scene


def troubles(ledger: Ledger) -> list[str]:
    return [each.trouble for each in discrepancies(ledger)]


def test_a_ledger_at_work_adds_up(ledger: Ledger):
    busy(ledger)
    assert discrepancies(ledger) == ()


def test_a_reservation_that_nothing_waits_for_is_found(ledger: Ledger):
    busy(ledger)
    with ledger.write(House("audit")) as session:
        session.execute(update(EditionShotRow).values(reservation=None))
    (found,) = discrepancies(ledger)
    assert (found.trouble, found.tenant) == ("unheld", "acme")


def test_a_shot_that_waits_for_a_closed_reservation_is_found(ledger: Ledger):
    busy(ledger)
    with ledger.write(House("audit")) as session:
        session.execute(update(EditionShotRow).values(reservation="made up"))
    assert "unreserved" in troubles(ledger)


def test_an_accepted_take_that_was_not_settled_is_found(ledger: Ledger):
    busy(ledger)
    with ledger.write(House("audit")) as session:
        session.execute(
            update(TakeRow).where(TakeRow.outcome == "running").values(outcome="accepted")
        )
    assert "unsettled" in troubles(ledger)


def test_a_take_that_took_something_else_is_found(ledger: Ledger):
    busy(ledger)
    assert REPORT.stages
    with ledger.write(House("audit")) as session:
        session.execute(update(TakeRow).values(decode_microseconds=REPORT.stages.decode + 1))
    (found,) = discrepancies(ledger)
    assert (found.trouble, "took (1, 1001, 1)" in found.words) == ("mismeasured", True)


def test_a_worker_that_was_paid_more_than_was_charged_is_found(ledger: Ledger):
    busy(ledger)
    with ledger.write(House("audit")) as session:
        session.execute(update(WorkerRow).values(paid_micro_usd=WorkerRow.paid_micro_usd + 1))
    assert set(troubles(ledger)) == {"uncharged"}


def test_takes_from_before_amounts_were_kept_are_right(ledger: Ledger):
    scene = busy(ledger)
    old = {"tenant": "acme", "user": "ada", "day": "2026-01-01", "reservation": "old", "shots": 1}
    moment = {"created_at": to_micros(scene.now)}
    with ledger.write(House("audit")) as session:
        session.execute(insert(QuotaEntryRow), [{**old, **moment, "kind": "reserve"}])
        session.execute(insert(QuotaEntryRow), [{**old, **moment, "kind": "settle", "shots": 0}])
        session.execute(text("UPDATE takes SET reservation = 'old' WHERE outcome = 'accepted'"))
    assert troubles(ledger) == []
