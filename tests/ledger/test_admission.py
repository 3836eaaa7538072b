from datetime import UTC, datetime

from tests.ledger.scenes import shot
from wan_pipelines.ledger.admission import Entry, KnownShot, Refusal, decisions, wishes

TOMORROW = datetime(2026, 3, 3, tzinfo=UTC)


def known(*prompts: str) -> dict[str, KnownShot]:
    return {shot("x", p).render_key: KnownShot(number) for number, p in enumerate(prompts)}


def test_reservations_are_handed_out_in_the_order_of_the_shots():
    wanted = [shot(name, name) for name in "abc"]
    held = {"b": Entry("b", 1, "admitted", "old")}
    wished = wishes(wanted, known("a", "b", "c"), held)
    decided = decisions(wished, ["new", Refusal("nothing left", TOMORROW)])
    assert [(d.admission.state, d.reservation) for d in decided] == [
        ("admitted", "new"),
        ("admitted", "old"),
        ("refused", None),
    ]
    assert (decided[2].admission.reason, decided[2].admission.may_run_at) == (
        "nothing left",
        TOMORROW,
    )


def test_of_two_names_for_a_shot_the_one_that_was_admitted_stays():
    wanted = [shot("a", "same"), shot("b", "same")]
    (first, second) = wishes(wanted, known("same"), {"b": Entry("b", 0, "admitted", "r")})
    assert (first.state, second.state, second.keeps) == ("duplicate", "admitted", "r")


def test_a_name_outside_the_decision_keeps_its_shot():
    (wish,) = wishes([shot("a", "same")], known("same"), {"b": Entry("b", 0, "reused", None)})
    assert (wish.state, wish.reason) == ("duplicate", "the same frames as b")


def test_a_shot_that_is_not_wanted_any_more_drops_its_reservation():
    held = {"a": Entry("a", 0, "admitted", "r")}
    (changed,) = wishes([shot("a", "new")], {shot("a", "new").render_key: KnownShot(1)}, held)
    (banned,) = wishes([shot("a", "old", verdict="rejected")], known("old"), held)
    accepted = KnownShot(0, accepted_elsewhere="demo/first")
    (done,) = wishes([shot("a", "old")], {shot("a", "old").render_key: accepted}, held)
    assert [(w.drops, w.wants) for w in (changed, banned, done)] == [
        ("r", True),
        ("r", False),
        ("r", False),
    ]
