"""Several workers, runs and campaigns want the same shots at the same time."""

from collections.abc import Sequence

import pytest

from tests.ledger import books
from tests.survival.hands import Hand
from tests.survival.scenes import PROMPTS, Scene, accepted


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Scene:
    return request.getfixturevalue("scene" if request.param == "sqlite" else "postgres_scene")


def test_two_workers_at_one_shard_share_its_shots(shared: Scene) -> None:
    shard = shared.shard()
    hands = [shared.begin(shard, f"run-{n}", seconds_per_step=0.05) for n in range(2)]
    answers = [hand.answer() for hand in hands]
    assert accepted(answers) == len(PROMPTS)
    assert all(not answer.summary["left"] for answer in answers)
    shared.publish()
    shared.check()


def test_two_runs_of_one_edition_at_once(shared: Scene) -> None:
    hands: list[Hand] = []
    for run in ("first", "second"):
        hands += [shared.begin(shard, run, seconds_per_step=0.05) for shard in shared.admitted()]
    finish(shared, hands)
    shared.check()


def test_two_campaigns_with_the_same_shots_at_once(shared: Scene) -> None:
    """Each shot is rendered once, and paid and counted by the campaign that came first."""
    shared.project.campaign("copies", prompts=list(reversed(PROMPTS)), renditions=["h264"])
    hands = [
        shared.begin(shared.shard(campaign), campaign, seconds_per_step=0.05)
        for campaign in ("balls", "copies")
    ]
    editions = [shared.edition(campaign) for campaign in ("balls", "copies")]
    assert accepted([hand.answer() for hand in hands]) == len(PROMPTS)
    shared.publish(*editions)
    shared.check(*editions)


def test_an_orphan_whose_lease_passed_on_is_not_accepted(scene: Scene) -> None:
    """It hung, as a node without a network does, until others took it for dead."""
    scene.project.environment(workers={"count": 1, "lease_seconds": 0.5})
    shard = scene.shard()
    orphan = scene.begin(shard, "orphan", wait_at=PROMPTS[0], silent=True)
    orphan.until_it_waits()
    assert scene.begin(shard, "successor").answer().summary["accepted"] == len(PROMPTS)
    before = files(scene)
    orphan.go_on()
    answer = orphan.answer()
    assert (answer.summary["accepted"], answer.summary["reused"]) == (0, len(PROMPTS))
    assert files(scene) == before
    scene.publish()
    scene.check()


def test_an_orphan_that_goes_on_keeps_its_shots(scene: Scene) -> None:
    """Its run was killed, it was not: the next run renders the rest and waits for it."""
    shard = scene.shard()
    orphan = scene.begin(shard, "orphan", wait_at=PROMPTS[0])
    orphan.until_it_waits()
    successor = scene.begin(shard, "successor", wait_at=PROMPTS[-1])
    successor.until_it_waits()
    orphan.go_on()
    successor.go_on()
    answers = [orphan.answer(), successor.answer()]
    assert accepted(answers) == len(PROMPTS)
    assert answers[0].summary["accepted"] >= 1
    assert books.accepted_takes(scene.studio.ledger).total() == len(PROMPTS)
    scene.publish()
    scene.check()


def finish(scene: Scene, hands: Sequence[Hand]) -> None:
    """All of them end, and every shot was rendered by just one of them."""
    answers = [hand.answer() for hand in hands]
    assert accepted(answers) == len(PROMPTS)
    scene.publish()


def files(scene: Scene) -> dict[str, str]:
    """What lies in the store, with signatures."""
    return {info.key: info.signature for info in scene.studio.store.list("tenants/")}
