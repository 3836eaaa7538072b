from dataclasses import replace

import pytest

from tests.ledger import books
from tests.ledger.scenes import DEMO, ERROR, Scene, shot, shots
from wan_pipelines.errors import InputError, LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.editions import all_editions, edition_shots, latest_edition
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.takes import fail_take, forget_outputs

SPRING = EditionKey("bolt", "bob", "spring", "first")
SECOND = replace(DEMO, edition="second")


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    return Scene(ledger)


def test_admitted_shots_come_back_as_they_were_asked_for(scene: Scene):
    wanted = [shot("b", variables={"colour": "blue"}), shot("a", tier="standard", fps=24)]
    scene.admit(wanted)
    first, second = edition_shots(scene.ledger, DEMO)
    assert (first.position, first.name, first.variables) == (0, "b", {"colour": "blue"})
    assert (second.tier, second.fps, second.renditions) == ("standard", 24, ("h264",))
    assert second.request == wanted[1].request
    assert second.render_key == wanted[1].render_key
    assert [s.name for s in edition_shots(scene.ledger, DEMO, only=["a"])] == ["a"]


def test_admitting_again_changes_nothing(scene: Scene):
    wanted = [*shots(*"abcdefg"), shot("h", verdict="rejected", reason="too long")]
    first = scene.admit(wanted, SPRING)
    entries = books.kinds(scene.ledger)
    scene.later(hours=1)
    assert scene.admit(wanted, SPRING) == first
    assert books.kinds(scene.ledger) == entries


def test_what_screening_did_not_pass_is_kept_with_its_reason_and_costs_no_quota(scene: Scene):
    decided = scene.admit(
        [
            shot("long", verdict="rejected", reason="over 512 characters"),
            shot("odd", verdict="held", reason="nested brackets"),
            *shots(*"abcde"),
        ],
        SPRING,
    )
    assert [(a.state, a.reason) for a in decided[:2]] == [
        ("rejected", "over 512 characters"),
        ("held", "nested brackets"),
    ]
    assert {a.state for a in decided[2:]} == {"admitted"}


def test_the_same_shot_twice_is_rendered_once(scene: Scene):
    twins = [shot("a", "a red ball"), shot("b", "a red ball"), shot("c")]
    first, second, _ = scene.admit(twins, SPRING)
    assert (first.state, second.state) == ("admitted", "duplicate")
    assert second.reason == "the same frames as a"
    assert sum(books.used(scene.ledger).values()) == 2
    # when the first one changes, the other one takes its place
    states = scene.states([shot("a"), *twins[1:]], SPRING)
    assert states == {"a": "admitted", "b": "admitted", "c": "admitted"}
    books.check(scene.ledger)


def test_a_shot_that_another_edition_rendered_is_reused_for_nothing(scene: Scene):
    wanted = shots("a", "b")
    scene.admit(wanted)
    scene.worker().render(wanted[0])
    states = scene.states(wanted, SECOND)
    assert states == {"a": "reused", "b": "admitted"}
    (a, b) = scene.admit(wanted, SECOND)
    assert (a.rendered, b.rendered) == (True, False)
    assert a.reason == "already rendered in demo/first"
    (again, _) = scene.admit(wanted)
    assert (again.state, again.rendered) == ("admitted", True)
    books.check(scene.ledger)


def test_shots_that_left_the_campaign_are_withdrawn_and_give_their_quota_back(scene: Scene):
    scene.admit(shots(*"abc"), SPRING)
    scene.admit(shots("b"), SPRING)
    assert sum(books.used(scene.ledger).values()) == 1
    withdrawn = edition_shots(scene.ledger, SPRING, states=["withdrawn"])
    assert [(s.name, s.reason) for s in withdrawn] == [
        ("a", "no longer in the campaign"),
        ("c", "no longer in the campaign"),
    ]
    assert scene.states(shots(*"abc"), SPRING) == dict.fromkeys("abc", "admitted")
    books.check(scene.ledger)


def test_a_changed_prompt_is_another_shot(scene: Scene):
    scene.admit([shot("a", "a red ball")], SPRING)
    scene.worker(SPRING).render(shot("a", "a red ball"))
    (decided,) = scene.admit([shot("a", "a blue ball")], SPRING)
    assert (decided.state, decided.rendered) == ("admitted", False)
    assert sum(books.used(scene.ledger).values()) == 2
    books.check(scene.ledger)


def test_only_touches_the_named_shots(scene: Scene):
    scene.admit(shots(*"abc"), SPRING)
    changed = [shot("a", "something else"), shot("b", "something else again"), shot("d")]
    decided = scene.admit(changed, SPRING, only=["b"])
    assert [a.name for a in decided] == ["b"]
    kept = {s.name: s.render_key for s in edition_shots(scene.ledger, SPRING)}
    assert kept == {
        "a": shot("a").render_key,
        "b": changed[1].render_key,
        "c": shot("c").render_key,
    }
    books.check(scene.ledger)


def test_only_must_name_shots_of_the_campaign(scene: Scene):
    with pytest.raises(InputError, match="no shot named b, c"):
        scene.admit(shots("a"), only=["a", "b", "c"])


def test_names_are_unique(scene: Scene):
    with pytest.raises(InputError, match="'a' occurs twice"):
        scene.admit([shot("a", "one"), shot("a", "two")])


def test_a_dry_run_keeps_nothing(scene: Scene):
    wanted = shots(*"abcdefg")
    planned = scene.admit(wanted, SPRING, dry_run=True)
    assert all_editions(scene.ledger, "bolt") == ()
    assert books.used(scene.ledger) == {}
    assert scene.admit(wanted, SPRING) == planned


def test_a_failed_shot_is_reserved_anew_when_it_is_tried_again(scene: Scene):
    (candidate,) = wanted = shots("a")
    scene.admit(wanted, SPRING)
    hand = scene.worker(SPRING)
    fail_take(scene.ledger, hand.lease(candidate), ERROR, now=scene.now)
    assert sum(books.used(scene.ledger).values()) == 0
    scene.admit(wanted, SPRING)
    assert sum(books.used(scene.ledger).values()) == 1
    books.check(scene.ledger)


def test_a_lost_output_is_rendered_again_by_whoever_asks(scene: Scene):
    wanted = shots("a")
    scene.admit(wanted)
    scene.worker().render(wanted[0])
    scene.admit(wanted, SECOND)
    forget_outputs(scene.ledger, "acme", wanted[0].render_key, "deleted", now=scene.now)
    (decided,) = scene.admit(wanted, SECOND)
    assert (decided.state, decided.rendered) == ("admitted", False)
    scene.worker(SECOND).render(wanted[0])
    assert scene.states(wanted) == {"a": "reused"}
    books.check(scene.ledger)


def test_editions_are_found_by_campaign_latest_first(scene: Scene):
    scene.admit(shots("a"))
    scene.later(hours=1)
    scene.admit(shots("a"), SECOND)
    scene.later(hours=1)
    scene.admit(shots("a"))
    assert latest_edition(scene.ledger, "acme", "demo") == SECOND
    assert all_editions(scene.ledger, "acme") == (SECOND, DEMO)
    assert all_editions(scene.ledger, "acme", "other") == ()
    assert latest_edition(scene.ledger, "bolt", "demo") is None


def test_an_unknown_tenant_is_told_where_it_belongs(scene: Scene):
    with pytest.raises(LedgerError, match=r"Tenant nobody is not known.*environment's tenants"):
        scene.admit(shots("a"), EditionKey("nobody", "x", "demo", "first"))


def test_reasons_may_hold_anything(scene: Scene):
    reason = "control \x00 character, lone \ud800 surrogate" + "!" * 10_000
    scene.admit([shot("a", "a \x00 \ud800 prompt", verdict="rejected", reason=reason)])
    (found,) = edition_shots(scene.ledger, DEMO, states=["rejected"])
    assert found.reason.startswith("control � character, lone ? surrogate!")
    assert len(found.reason) == 4000
