from dataclasses import replace

import pytest

from tests.ledger import books
from tests.ledger.scenes import DEMO, ERROR, REPORT, Scene, files, shot, shots
from wan_pipelines.errors import LeaseLost, NotAdmitted, QuotaExceeded
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import edition_shots
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.leases import Busy, Done, release_lease, renew_lease
from wan_pipelines.ledger.reports import edition_shots_view
from wan_pipelines.ledger.takes import accept_take, fail_take, forget_outputs

SPRING = EditionKey("bolt", "bob", "spring", "first")
SECOND = replace(DEMO, edition="second")


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    return Scene(ledger)


def outcomes(scene: Scene, edition: EditionKey = DEMO) -> list[str | None]:
    return [view.outcome for view in edition_shots_view(scene.ledger, edition)]


def test_a_shot_is_rendered_by_one_worker_at_a_time(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted)
    first, second = scene.worker(), scene.worker()
    lease = first.lease(candidate, seconds=30)
    scene.later(seconds=29)
    assert second.ask(candidate) == Busy(lease.expires_at)
    renewed = renew_lease(scene.ledger, lease, lease_seconds=30, now=scene.now)
    scene.later(seconds=29)
    assert second.ask(candidate) == Busy(renewed.expires_at)
    take_id = first.accept(renewed)
    assert second.ask(candidate) == Done(take_id)


def test_an_expired_lease_passes_on_and_its_late_owner_is_told(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted, SPRING)
    slow, quick = scene.worker(SPRING), scene.worker(SPRING)
    lost = slow.lease(candidate, seconds=30)
    scene.later(seconds=30)
    lease = quick.lease(candidate)
    for late in (
        lambda: slow.accept(lost),
        lambda: renew_lease(scene.ledger, lost, lease_seconds=30, now=scene.now),
        lambda: release_lease(scene.ledger, lost, now=scene.now),
    ):
        with pytest.raises(LeaseLost, match=r"take \w+ is abandoned"):
            late()
    quick.accept(lease)
    with pytest.raises(LeaseLost):
        slow.accept(lost)
    (view,) = edition_shots_view(scene.ledger, SPRING)
    assert (view.outcome, view.take_id, view.attempts) == ("accepted", lease.take_id, 2)
    assert sum(books.used(scene.ledger).values()) == 1
    books.check(scene.ledger)


def test_an_expired_lease_that_nobody_took_over_is_still_good(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted)
    hand = scene.worker()
    lease = hand.lease(candidate, seconds=30)
    scene.later(minutes=10)
    hand.accept(lease)
    assert outcomes(scene) == ["accepted"]


def test_accepting_twice_is_accepting_once(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted)
    hand = scene.worker()
    lease = hand.lease(candidate)
    hand.accept(lease)
    hand.accept(lease)
    hand.close()
    hand.accept(lease)
    (view,) = edition_shots_view(scene.ledger, DEMO)
    assert len(view.renditions) == 3
    books.check(scene.ledger)


def test_a_shot_given_back_keeps_its_place_in_the_quota(scene: Scene):
    wanted = shots(*"abcdef")
    scene.admit(wanted, SPRING)
    hand = scene.worker(SPRING)
    release_lease(scene.ledger, hand.lease(wanted[0]), now=scene.now)
    assert scene.states(wanted, SPRING)["f"] == "refused"
    hand.render(wanted[0])
    assert sum(books.used(scene.ledger).values()) == 5
    books.check(scene.ledger)


def test_a_failed_shot_may_be_leased_again_while_quota_is_left(scene: Scene):
    wanted = shots(*"abcde")
    scene.admit(wanted, SPRING)
    hand = scene.worker(SPRING)
    fail_take(scene.ledger, hand.lease(wanted[0]), ERROR, now=scene.now)
    lease = hand.lease(wanted[0])
    assert sum(books.used(scene.ledger).values()) == 5
    fail_take(scene.ledger, lease, ERROR, now=scene.now)
    scene.admit(shots("x"), replace(SPRING, campaign="summer"))
    with pytest.raises(QuotaExceeded, match=r"0 left on 2026-03-02; may run from 2026-03-03"):
        hand.ask(wanted[0])
    scene.later(days=1)
    hand.render(wanted[0])
    books.check(scene.ledger)


def test_what_the_edition_does_not_want_is_not_rendered(scene: Scene):
    wanted = [*shots(*"abcdef"), shot("odd", verdict="held", reason="nested brackets")]
    scene.admit(wanted, SPRING)
    hand = scene.worker(SPRING)
    with pytest.raises(NotAdmitted, match=r"Shot odd .* is held: nested brackets"):
        hand.ask(wanted[-1])
    with pytest.raises(QuotaExceeded, match=r"Shot f .* is refused: limit of 5 shots"):
        hand.ask(wanted[5])
    with pytest.raises(NotAdmitted, match="does not ask for shot"):
        hand.ask(shot("never heard of"))
    scene.admit(wanted[1:], SPRING)
    with pytest.raises(NotAdmitted, match="is withdrawn: no longer in the campaign"):
        hand.ask(wanted[0])


def test_a_brief_that_changes_while_its_shot_is_rendered_loses_nothing(scene: Scene):
    before, after = shot("a", "a red ball"), shot("a", "a blue ball")
    scene.admit([before], SPRING)
    hand = scene.worker(SPRING)
    lease = hand.lease(before)
    scene.admit([after], SPRING)
    assert sum(books.used(scene.ledger).values()) == 2
    books.check(scene.ledger)
    hand.accept(lease)
    books.check(scene.ledger)
    assert scene.states([before], replace(SPRING, edition="second")) == {"a": "reused"}
    assert scene.states([before], SPRING) == {"a": "admitted"}
    assert sum(books.used(scene.ledger).values()) == 1


def test_a_changed_shot_whose_take_fails_gives_its_quota_back_once(scene: Scene):
    before, after = shot("a", "a red ball"), shot("a", "a blue ball")
    scene.admit([before], SPRING)
    hand = scene.worker(SPRING)
    lease = hand.lease(before)
    for candidate in (after, before, after):
        scene.admit([candidate], SPRING)
    fail_take(scene.ledger, lease, ERROR, now=scene.now)
    assert sum(books.used(scene.ledger).values()) == 1
    books.check(scene.ledger)


def test_editions_that_wait_for_the_same_shot_reuse_it(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted, SPRING)
    autumn = replace(SPRING, user="bea", campaign="autumn")
    scene.admit(wanted, autumn)
    assert sum(books.used(scene.ledger).values()) == 2
    scene.worker(SPRING).render(candidate)
    assert books.used(scene.ledger)["bolt", "bea", "2026-03-02"] == 0
    (found,) = edition_shots(scene.ledger, autumn, states=["reused"])
    assert found.reason == "already rendered by another edition"
    assert isinstance(scene.worker(autumn).ask(candidate), Done)
    books.check(scene.ledger)


def test_tenants_do_not_share_renders(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted)
    scene.admit(wanted, SPRING)
    scene.worker().render(candidate)
    assert scene.states(wanted, SPRING) == {"a": "admitted"}
    scene.worker(SPRING).render(candidate)
    books.check(scene.ledger)


def test_the_error_of_a_take_that_lost_its_lease_is_kept_without_a_fuss(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted)
    slow, quick = scene.worker(), scene.worker()
    lost = slow.lease(candidate, seconds=30)
    scene.later(seconds=30)
    lease = quick.lease(candidate)
    fail_take(scene.ledger, lost, ERROR, now=scene.now)
    accept_take(scene.ledger, lease, REPORT, files(lease.take_id), now=scene.now)
    (view,) = edition_shots_view(scene.ledger, DEMO)
    assert (view.outcome, view.failures) == ("accepted", 0)
    books.check(scene.ledger)


def test_forgetting_is_history_and_done_once(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted)
    hand = scene.worker()
    take_id = hand.render(candidate)
    key = candidate.render_key
    assert forget_outputs(scene.ledger, "acme", key, "h264 is lost", now=scene.now) == take_id
    assert forget_outputs(scene.ledger, "acme", key, "h264 is lost", now=scene.now) is None
    assert outcomes(scene) == ["forgotten"]
    second = hand.render(candidate)
    late = forget_outputs(scene.ledger, "acme", key, "lost", take_id=take_id, now=scene.now)
    assert late is None
    assert hand.ask(candidate) == Done(second)
    books.check(scene.ledger)
