from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from tests.ledger.scenes import DEMO, START, Scene, shot
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.reviews import all_reviews, held_shots, review, reviews_of
from wan_pipelines.ledger.statements import table
from wan_pipelines.ledger.tables import ReviewRow
from wan_pipelines.ledger.whose import House

BALL, BOX = "a ((red)) ball", "a ((blue)) box"


def test_the_latest_decision_about_a_text_holds_and_all_are_kept(ledger: Ledger):
    Scene(ledger)
    first = review(ledger, "acme", BALL, "released", decided_by="ada", now=START)
    later = START + timedelta(hours=1)
    second = review(ledger, "acme", BALL, "rejected", decided_by="eve", note="No.", now=later)
    assert reviews_of(ledger, "acme", [BALL, BOX]) == {BALL: second}
    assert all_reviews(ledger, "acme") == (second, first)
    assert (first.decided_by, first.decided_at, first.text) == ("ada", START, BALL)
    assert (second.decision, second.note, second.decided_at) == ("rejected", "No.", later)


def test_a_decision_is_one_tenants(ledger: Ledger):
    Scene(ledger)
    made = review(ledger, "acme", BALL, "released", decided_by="ada", now=START)
    assert reviews_of(ledger, "bolt", [BALL]) == {}
    assert all_reviews(ledger, "bolt") == ()
    assert all_reviews(ledger, House("operator")) == (made,)


def test_a_long_text_is_found_again(ledger: Ledger):
    Scene(ledger)
    text = "(" * 9000
    made = review(ledger, "acme", text, "released", decided_by="ada", now=START)
    assert made.text == text
    assert reviews_of(ledger, "acme", [text]) == {text: made}


@pytest.mark.parametrize("change", [delete(table(ReviewRow)), update(ReviewRow).values(note="x")])
def test_no_decision_is_ever_changed_or_removed(ledger: Ledger, change):
    Scene(ledger)
    review(ledger, "acme", BALL, "released", decided_by="ada", now=START)
    with pytest.raises(LedgerError, match="append-only"), ledger.write(House("audit")) as session:
        session.execute(change)
    assert len(all_reviews(ledger, "acme")) == 1


def test_held_shots_are_told_with_their_texts_and_editions(ledger: Ledger):
    scene = Scene(ledger)
    scene.admit([shot("odd", BALL, verdict="held"), shot("fine")])
    (held,) = held_shots(ledger, "acme")
    assert (held.tenant, held.campaign, held.edition) == ("acme", DEMO.campaign, DEMO.edition)
    assert (held.shot, held.prompt, held.negative_prompt) == ("odd", BALL, "")
    assert held_shots(ledger, "bolt") == ()
    scene.admit([shot("odd", BALL), shot("fine")])
    assert held_shots(ledger, House("operator")) == ()
