"""The turnstile, as runs of several tenants meet at it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.ledger.racers import run_racers
from tests.ledger.scenes import DEMO, START, Scene
from tests.ledger.turnstile import ELSEWHERE, Turnstile
from wan_pipelines.errors import InputError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.tables import ServedRow
from wan_pipelines.ledger.turn_records import Asker
from wan_pipelines.ledger.turns import (
    EXPIRY,
    FRESH,
    forget_turns,
    gpu_class_of,
    line,
    must_move,
    renew_turns,
)
from wan_pipelines.ledger.whose import House
from wan_pipelines.processes import process_name
from wan_pipelines.scheduling.records import Slots, Standing

BOLT = EditionKey("bolt", "bob", "bolts", "first")
GONE = process_name().rsplit(":", 1)[0] + ":1"
"""A process of this host that ended, and whose number was given to this one."""


@pytest.fixture
def turnstile(ledger: Ledger) -> Turnstile:
    Scene(ledger)
    return Turnstile(ledger)


def test_shards_begin_while_there_are_slots_and_wait_when_there_are_not(turnstile: Turnstile):
    turnstile.line_up("run", "a", "b", "c")
    assert turnstile.ask("run", "a", "b").began == {"a": "h100", "b": "h100"}
    waits = turnstile.ask("run", "c")
    assert (waits.began, waits.waiting, waits.in_line) == ({}, {"c"}, 1)
    turnstile.end("run", "a")
    assert turnstile.ask("run", "c").began == {"c": "h100"}


def test_a_turn_that_was_had_stays_had(turnstile: Turnstile):
    turnstile.line_up("run", "a")
    for _ in range(2):
        assert turnstile.ask("run", "a").began == {"a": "h100"}
    assert gpu_class_of(turnstile.ledger, DEMO, "run", "a") == "h100"
    assert gpu_class_of(turnstile.ledger, BOLT, "run", "a") is None


def test_nobody_waits_for_what_was_never_lined_up(turnstile: Turnstile):
    assert turnstile.ask("run", "a").unknown == {"a"}


def test_vip_overtakes_who_waits_already(turnstile: Turnstile):
    turnstile.slots = {"h100": Slots(1)}
    turnstile.standings = {"bolt": Standing("vip")}
    turnstile.line_up("early", "a", "b")
    turnstile.ask("early", "a", "b")
    turnstile.later(seconds=5)
    turnstile.line_up("late", "v", edition=BOLT)
    assert turnstile.ask("late", "v").began == {}
    turnstile.end("early", "a")
    assert turnstile.ask("early", "b").began == {}
    assert turnstile.ask("late", "v").began == {"v": "h100"}


def test_who_was_served_counts_by_what_it_held(turnstile: Turnstile):
    turnstile.line_up("run", "a")
    turnstile.ask("run", "a")
    turnstile.later(minutes=10)
    turnstile.end("run")
    with turnstile.ledger.read(House("audit")) as session:
        tenant, seconds = session.execute(select(ServedRow.tenant, ServedRow.gpu_seconds)).one()
    assert (tenant, seconds) == ("acme", pytest.approx(566, abs=1))


def test_a_silent_run_keeps_nobody_waiting_and_loses_its_slots(turnstile: Turnstile):
    turnstile.slots = {"h100": Slots(1)}
    turnstile.standings = {"acme": Standing("vip")}
    turnstile.line_up("dead", "a", "b")
    turnstile.line_up("alive", "c", edition=BOLT)
    assert turnstile.ask("dead", "a", "b").began == {"a": "h100"}
    assert turnstile.ask("alive", "c").began == {}
    turnstile.later(seconds=EXPIRY.total_seconds() + 1)
    assert turnstile.ask("alive", "c").began == {"c": "h100"}


def test_a_place_that_is_not_renewed_is_passed_over_at_once(turnstile: Turnstile):
    turnstile.standings = {"acme": Standing("vip")}
    turnstile.slots = {"h100": Slots(0)}
    turnstile.line_up("stuck", "a")
    turnstile.ask("stuck", "a")
    turnstile.later(seconds=FRESH.total_seconds() + 1)
    turnstile.slots = {"h100": Slots(1)}
    turnstile.line_up("alive", "b", edition=BOLT)
    assert turnstile.ask("alive", "b").began == {"b": "h100"}


def test_who_renews_keeps_its_slot(turnstile: Turnstile):
    turnstile.slots = {"h100": Slots(1)}
    turnstile.line_up("run", "a")
    turnstile.ask("run", "a")
    turnstile.line_up("other", "b", edition=BOLT)
    for _ in range(5):
        turnstile.later(seconds=EXPIRY.total_seconds() / 2)
        renew_turns(turnstile.ledger, Asker(("run",), ELSEWHERE), now=turnstile.now)
        assert turnstile.ask("other", "b").began == {}


def test_the_slots_of_a_process_that_is_gone_from_this_host_are_free_at_once(
    turnstile: Turnstile,
):
    turnstile.slots = {"h100": Slots(1)}
    turnstile.line_up("killed", "a")
    assert turnstile.ask("killed", "a", process=GONE).began
    turnstile.line_up("next", "b")
    assert turnstile.ask("next", "b", process=process_name()).began == {"b": "h100"}


def test_a_shard_that_begins_again_is_first_of_its_tenant(turnstile: Turnstile):
    """A pod was taken away: the shard keeps the place that it had."""
    turnstile.slots = {"h100": Slots(1)}
    turnstile.line_up("run", "a", "b")
    turnstile.ask("run", "a", "b")
    turnstile.later(minutes=1)
    turnstile.end("run", "a")
    assert turnstile.ask("run", "a", "b").began == {"a": "h100"}


def test_a_run_that_repeats_another_takes_over_how_its_shards_were_cut(turnstile: Turnstile):
    turnstile.line_up("first", "a", priority=3)
    assert turnstile.ask("second", "a", of="first").began == {"a": "h100"}
    (turn,) = line(turnstile.ledger, House("operator"), now=turnstile.now)
    assert (turn.run_id, turn.priority, turn.gpu_class) == ("second", 3, "h100")


def test_a_shard_that_was_cut_for_gpus_that_are_gone_does_not_wait_for_them(turnstile: Turnstile):
    turnstile.line_up("first", "a")
    turnstile.slots = {"h200": Slots(2)}
    with pytest.raises(InputError, match=r"a was cut for GPUs .* not have: h100.*cut anew"):
        turnstile.ask("second", "a", of="first")


def test_cutting_again_replaces_what_nobody_asked_for(turnstile: Turnstile):
    turnstile.line_up("run", "a", "b")
    turnstile.ask("run", "a")
    turnstile.line_up("run", "a", "c")
    answer = turnstile.ask("run", "a", "b", "c")
    assert (set(answer.began), answer.unknown) == ({"a", "c"}, {"b"})


def test_turns_are_forgotten_when_nobody_repeats_their_run_any_more(turnstile: Turnstile):
    turnstile.line_up("old", "a", "b", "c")
    turnstile.ask("old", "a", "b")
    turnstile.end("old", "a")
    turnstile.later(days=30)
    turnstile.line_up("new", "a")
    forget_turns(turnstile.ledger, noted_before=turnstile.now)
    answer = turnstile.ask("again", "a", "b", "c", of="old")
    assert (set(answer.began), answer.unknown) == ({"b"}, {"a", "c"})
    assert turnstile.ask("new", "a").began == {"a": "h100"}


def test_a_priority_that_was_passed_over_for_hours_gets_one_gpu_before_higher_ones(
    turnstile: Turnstile,
):
    """Shards of 50 minutes: the first one of each run has asked at the beginning."""
    turnstile.slots = {"h100": Slots(1)}
    lines = {"high": "abcdefghij", "low": "xy"}
    turnstile.line_up("high", *lines["high"], priority=5)
    turnstile.line_up("low", *lines["low"])
    began = ""
    while len(began) < 11:
        for run, shards in lines.items():
            left = [shard for shard in shards if shard not in began]
            for shard in turnstile.ask(run, *left).began:
                began += shard
                turnstile.ask("low", *(each for each in lines["low"] if each not in began))
                turnstile.later(minutes=50)
                for each in lines:
                    renew_turns(turnstile.ledger, Asker((each,), ELSEWHERE), now=turnstile.now)
                turnstile.end(run, shard)
    assert began == "abcdexfghiy"


def test_a_tenants_limit_holds_over_all_its_runs(turnstile: Turnstile):
    turnstile.slots = {"h100": Slots(5)}
    turnstile.standings = {"acme": Standing(concurrent_shards=2)}
    turnstile.line_up("one", "a", "b")
    turnstile.line_up("two", "c")
    turnstile.ask("one", "a", "b")
    assert turnstile.ask("two", "c").began == {}


def test_who_waits_is_shown_as_waiting(turnstile: Turnstile):
    turnstile.slots = {"h100": Slots(1)}
    turnstile.line_up("run", "a", "b", due_at=START + timedelta(hours=3))
    turnstile.ask("run", "a", "b")
    first, second = line(turnstile.ledger, House("operator"), now=turnstile.now)
    assert (first.shard, first.gpu_class, first.began_at) == ("a", "h100", START)
    assert line(turnstile.ledger, "bolt", now=turnstile.now) == ()
    assert (second.shard, second.began_at, second.due_at) == (
        "b",
        None,
        START + timedelta(hours=3),
    )


def test_processes_that_ask_at_once_never_get_more_slots_than_there_are(ledger: Ledger):
    Scene(ledger)
    turnstile = Turnstile(ledger, now=datetime.now(START.tzinfo))
    for run in range(4):
        turnstile.line_up(f"run{run}", "a", "b", edition=BOLT if run % 2 else DEMO)
    url = ledger.engine.url.render_as_string(hide_password=False)
    counts = run_racers("ask_for_turns", [(url, f"run{run}", 3) for run in range(4)])
    assert sum(map(int, counts)) == 3


def test_a_shard_without_a_node_moves_when_its_deadline_demands_it(turnstile: Turnstile):
    turnstile.slots = {"h100": Slots(2), "spot": Slots(1, "spot")}
    both = {"gpu_classes": ("h100", "spot"), "can_wait": True}
    turnstile.line_up("run", "a", "b", due_at=START + timedelta(hours=2), **both)
    turnstile.line_up("other", "c", edition=BOLT)
    turnstile.ask("other", "c")
    assert turnstile.ask("run", "a", "b").began == {"a": "spot"}

    def moves(run: str, shard: str) -> bool:
        return must_move(turnstile.ledger, run, shard, turnstile.rules, now=turnstile.now)

    assert not moves("run", "a")
    turnstile.later(minutes=65)
    renew_turns(turnstile.ledger, Asker(("run",), ELSEWHERE), now=turnstile.now)
    assert moves("run", "a")
    assert not moves("run", "b")
    assert not moves("other", "c")
    turnstile.end("run", "a")
    assert turnstile.ask("run", "a", "b").began == {"a": "h100", "b": "h100"}
