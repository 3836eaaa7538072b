"""Where campaigns may render, and how their shards stand in line."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Event, Semaphore
from time import sleep
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.project import Project
from wan_pipelines.engines.null import NullEngine
from wan_pipelines.errors import InputError, LedgerError
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.tables import WorkerRow
from wan_pipelines.ledger.turn_records import Answer
from wan_pipelines.ledger.turns import line, renew_turns, take_turns
from wan_pipelines.ledger.whose import House
from wan_pipelines.rendering.takes import RunReference
from wan_pipelines.scheduling.records import Slots, Standing
from wan_pipelines.studio import turnstile as turnstiles
from wan_pipelines.studio.prompts import SHARD, PromptOrder, admit_prompt, render_prompt
from wan_pipelines.studio.shard_records import ShardReference
from wan_pipelines.studio.studio import Studio
from wan_pipelines.studio.turns import classes_of, in_turn, line_up, rules_of
from wan_pipelines.studio.turnstile import Turnstile

EDITION = EditionKey("demo", "mira", "balls", "one")
SHARDS = tuple(ShardReference(f"shard_{n}", EDITION, ("a",), gpu_seconds=600) for n in (1, 2, 3))
GPU = {"price_usd_per_hour": "2.69", "hardware": "h100"}
CLUSTER: Mapping[str, Any] = {
    "gpu_class": "h100",
    "gpu_classes": {
        "h100": {**GPU, "kubernetes": {"slots": 8}},
        "h100-spot": {**GPU, "kubernetes": {"slots": 16, "capacity": "spot"}},
        "l40s": {**GPU, "hardware": "l40s", "kubernetes": {"capacity": "spot"}},
    },
    "cache": "/cache",
    "kubernetes": {},
}


def plans(**demo: Any) -> dict[str, Any]:
    """The environment's, with one that the tenant `demo` has."""
    return {"plans": {"studio": demo, "free": {}}}


@pytest.mark.parametrize(
    ("brief", "plan", "classes"),
    [
        ({}, {}, ("h100",)),
        ({"gpu_class": "h100-spot"}, {}, ("h100-spot",)),
        ({"can_wait": True}, {}, ("h100", "h100-spot")),
        ({"can_wait": True, "gpu_class": "h100-spot"}, {}, ("h100-spot", "h100")),
        ({"can_wait": True, "gpu_class": "l40s"}, {}, ("l40s",)),
        ({}, {"spot_only": True}, ("h100-spot",)),
        ({"can_wait": True}, {"spot_only": True}, ("h100-spot",)),
    ],
)
def test_a_campaign_renders_where_its_brief_and_its_plan_permit(
    quick_project: Project, brief: dict[str, Any], plan: dict[str, Any], classes: tuple[str, ...]
):
    quick_project.environment(**CLUSTER, **plans(**plan))
    quick_project.campaign(**brief)
    studio = quick_project.studio()
    assert classes_of(studio.settings, studio.brief("balls")) == classes


def test_a_plan_for_spot_capacity_is_told_where_there_is_none(quick_project: Project):
    classes = {name: CLUSTER["gpu_classes"][name] for name in ("h100", "l40s")}
    quick_project.environment(**{**CLUSTER, "gpu_classes": classes}, **plans(spot_only=True))
    studio = quick_project.studio()
    with pytest.raises(InputError, match=r"spot capacity only, and there is none like h100"):
        classes_of(studio.settings, studio.brief("balls"))
    alone = {"h100": CLUSTER["gpu_classes"]["h100"]}
    quick_project.environment(**{**CLUSTER, "gpu_classes": alone}, **plans(spot_only=True))
    with pytest.raises(InputError, match=r"plans.studio is spot_only, but no GPU class is"):
        quick_project.studio()


def test_slots_are_those_of_the_cluster_or_the_workers_of_the_machine(quick_project: Project):
    machine = rules_of(quick_project.studio().settings)
    assert machine.slots == {"laptop-cpu": Slots(2)}
    vip = {"priority_class": "vip", "weight": 3, "concurrent_shards": 5}
    quick_project.environment(**CLUSTER, **plans(**vip))
    cluster = rules_of(quick_project.studio().settings)
    assert cluster.slots["h100"] == Slots(8)
    assert cluster.slots["h100-spot"] == Slots(16, "spot")
    assert cluster.standings == {"demo": Standing("vip", 3, 5), "small": Standing()}


def test_shards_are_lined_up_as_their_brief_says(quick_project: Project):
    quick_project.environment(**CLUSTER)
    quick_project.campaign(priority=7, can_wait=True, finish_by={"hours": 2})
    studio = quick_project.studio()
    line_up(studio, studio.brief("balls"), EDITION, "run", SHARDS[:1])
    with Turnstile.opened(lambda: studio, ["run"]) as turnstile:
        assert turnstile.may_begin("shard_1")
        (turn,) = line(studio.ledger, House("operator"), now=datetime.now(UTC))
        reference = SHARDS[0]
        rendering = in_turn(studio, studio.brief("balls"), reference, "run")
        assert rendering.settings.gpu_class == "h100-spot"
    assert (turn.priority, turn.can_wait, turn.gpu_seconds) == (7, True, 600)
    assert turn.due_at
    assert timedelta(hours=1, minutes=59) < turn.due_at - turn.asked_at <= timedelta(hours=2)


def test_a_prompt_waits_for_its_turn_with_shards_and_renders_where_its_plan_permits(
    quick_project: Project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(turnstiles, "LOOK_SECONDS", 0.0)
    slots = {**CLUSTER["gpu_classes"]["h100-spot"], "kubernetes": {"slots": 1, "capacity": "spot"}}
    classes = {**CLUSTER["gpu_classes"], "h100-spot": slots}
    quick_project.environment(**{**CLUSTER, "gpu_classes": classes}, **plans(spot_only=True))
    studio = quick_project.studio()
    line_up(studio, studio.brief("balls"), EDITION, "run", SHARDS[:1])
    order = PromptOrder(prompt="a red ball rising")
    plan = admit_prompt(studio, order, "prompting", say=print)
    with (
        Turnstile.opened(lambda: studio, ["run"]) as turnstile,
        Turnstile.opened(lambda: studio, ["prompting"]) as prompting,
    ):
        assert turnstile.may_begin("shard_1")
        assert not prompting.may_begin(SHARD)
        *_, waits = line(studio.ledger, House("operator"), now=datetime.now(UTC))
        turnstile.end("shard_1")
        while not prompting.may_begin(SHARD):  # the other run's thread gives the slot back
            sleep(0.01)
        run = RunReference("prompting", "prompt__video")
        render_prompt(
            studio, order, run, say=print, open_engine=lambda at, name: NullEngine(at.release(name))
        )
    with studio.ledger.read(House("audit")) as session:
        assert session.scalars(select(WorkerRow.gpu_class)).all() == ["h100-spot"]
    assert (waits.campaign, waits.tenant, waits.shard) == ("prompt", "demo", "prompt")
    assert waits.gpu_classes == ("h100-spot",)
    assert waits.gpu_seconds > plan.gpu_seconds > 0


@pytest.fixture
def studio(quick_project: Project) -> Studio:
    """A machine with two workers, and three shards in line."""
    opened = quick_project.studio()
    line_up(opened, opened.brief("balls"), EDITION, "run", SHARDS)
    return opened


def test_a_run_begins_what_there_are_workers_for(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turnstiles, "LOOK_SECONDS", 0.0)
    with Turnstile.opened(lambda: studio, ["run"]) as turnstile:
        begun = [turnstile.may_begin(shard.name) for shard in SHARDS]
        assert begun == [True, True, False]
        assert turnstile.in_line == 1
        turnstile.end("shard_1")
        assert turnstile.may_begin("shard_3")


def test_a_shard_that_nobody_lined_up_is_not_held_up(studio: Studio):
    with Turnstile.opened(lambda: studio, ["another"]) as turnstile:
        assert turnstile.may_begin("shard_1")
        assert turnstile.began == {}


def test_what_still_waits_leaves_the_line_with_its_run_and_what_renders_stays(studio: Studio):
    """A run's process may be replaced; its pods render on."""
    with Turnstile.opened(lambda: studio, ["run"]) as turnstile:
        for shard in SHARDS:
            turnstile.may_begin(shard.name)
    left = line(studio.ledger, House("operator"), now=datetime.now(UTC))
    assert [turn.shard for turn in left] == ["shard_1", "shard_2"]
    with Turnstile.opened(lambda: studio, ["run"]) as turnstile:
        turnstile.leave()
    assert line(studio.ledger, House("operator"), now=datetime.now(UTC)) == ()


def away(*_: object, **__: object) -> None:
    raise LedgerError("the ledger is away")


def test_while_the_ledger_is_away_shards_wait_and_slots_are_given_back_later(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(turnstiles, "LOOK_SECONDS", 0.0)
    with Turnstile.opened(lambda: studio, ["run"]) as turnstile:
        with monkeypatch.context() as outage:
            outage.setattr(turnstiles, "take_turns", away)
            assert not turnstile.may_begin("shard_1")
        assert turnstile.may_begin("shard_1")
        with monkeypatch.context() as outage:
            outage.setattr(turnstiles, "end_turns", away)
            turnstile.end("shard_1")
            assert not turnstile.must_move("shard_1")  # which is asked after that was told in vain
    assert line(studio.ledger, House("operator"), now=datetime.now(UTC)) == ()


def test_a_run_does_not_wait_for_an_answer_and_renews_meanwhile(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(turnstiles, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(turnstiles, "RENEW_SECONDS", 0.01)
    monkeypatch.setattr(turnstiles, "MOMENT_SECONDS", 0.01)
    renewals, answered = Semaphore(0), Event()

    def renew(*arguments: Any, **named: Any) -> None:
        renew_turns(*arguments, **named)
        renewals.release()

    def take_late(*arguments: Any, **named: Any) -> Answer:
        assert answered.wait(30)
        return take_turns(*arguments, **named)

    monkeypatch.setattr(turnstiles, "renew_turns", renew)
    monkeypatch.setattr(turnstiles, "take_turns", take_late)
    with Turnstile.opened(lambda: studio, ["run"]) as turnstile:
        assert not turnstile.may_begin("shard_1")
        turnstile.end("shard_1")  # it need not begin any more
        assert not turnstile.may_begin("shard_2")
        for _ in range(3):
            assert renewals.acquire(timeout=30)
        answered.set()
        while not turnstile.may_begin("shard_2"):
            assert renewals.acquire(timeout=30)
    (turn,) = line(studio.ledger, House("operator"), now=datetime.now(UTC))
    assert turn.shard == "shard_2"


def test_a_shard_that_begins_again_has_a_turn_of_its_own_though_the_ledger_was_away(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    with Turnstile.opened(lambda: studio, ["run"]) as turnstile:
        assert turnstile.may_begin("shard_1")
        with monkeypatch.context() as outage:
            outage.setattr(turnstiles, "end_turns", away)
            turnstile.end("shard_1")
            assert not turnstile.must_move("shard_1")  # which is asked after that was told in vain
        assert turnstile.may_begin("shard_1")
    (turn,) = line(studio.ledger, House("operator"), now=datetime.now(UTC))
    assert turn.shard == "shard_1"


def test_what_a_run_holds_is_renewed_though_nothing_could_be_read_at_first(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    """Nobody asks: it is that of a run whose process was replaced while YAML was, too."""
    monkeypatch.setattr(turnstiles, "RENEW_SECONDS", 0.01)
    renewed, troubles = Event(), [InputError("no YAML", where="resources", remedy="Wait.")]

    def renew(*arguments: Any, **named: Any) -> None:
        renew_turns(*arguments, **named)
        renewed.set()

    def opened() -> Studio:
        if troubles:
            raise troubles.pop()
        return studio

    monkeypatch.setattr(turnstiles, "renew_turns", renew)
    with Turnstile.opened(opened, ["run"]):
        assert renewed.wait(10)
