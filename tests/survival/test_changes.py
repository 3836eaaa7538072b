"""What people change while a run is under way: briefs, prices, releases, weights, the clock."""

from decimal import Decimal

import pytest

from tests.ledger import books
from tests.survival.conftest import WORKERS
from tests.survival.scenes import PROMPTS, Scene, accepted
from wan_pipelines.errors import InputError, WeightsError
from wan_pipelines.ledger.money import price_of
from wan_pipelines.ledger.tables import WorkerRow
from wan_pipelines.ledger.whose import House

SLUGS = [prompt.replace(" ", "-") for prompt in PROMPTS]
HOUR = 3600


def test_a_shot_that_is_withdrawn_is_not_rendered_any_more(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "first", wait_at=PROMPTS[0])
    hand.until_it_waits()
    scene.project.campaign(prompts=list(PROMPTS[:2]))
    scene.admitted()
    hand.go_on()
    summary = hand.answer().summary
    assert (summary["accepted"], summary["failed"]) == (2, [])
    ((name, reason),) = summary["declined"].items()
    assert name.startswith(SLUGS[2])
    assert "no longer in the campaign" in reason
    scene.run()
    scene.check()


def test_a_prompt_that_is_changed_keeps_the_others(scene: Scene) -> None:
    """The take under way is finished: it is paid for, and may be wanted again."""
    hand = scene.begin(scene.shard(), "first", wait_at=PROMPTS[0])
    hand.until_it_waits()
    scene.project.campaign(prompts=["a red ball falling", *PROMPTS[1:]])
    scene.admitted()
    hand.go_on()
    assert hand.answer().summary["accepted"] >= 2
    assert accepted(scene.run()) == 1
    scene.check()


def test_a_brief_that_is_broken_while_it_is_rendered_stops_nothing_that_is_admitted(
    scene: Scene,
) -> None:
    shard = scene.shard()
    edition = scene.edition()
    hand = scene.begin(shard, "first", wait_at=PROMPTS[0])
    hand.until_it_waits()
    brief = scene.project.campaign(prompts=["", *PROMPTS])
    hand.go_on()
    assert hand.answer().summary["accepted"] == len(PROMPTS)
    with pytest.raises(InputError, match=str(brief)):
        scene.admitted()
    scene.publish(edition)
    scene.project.campaign(prompts=list(PROMPTS))
    assert accepted(scene.run()) == 0
    scene.check()


def test_a_price_that_is_changed_holds_for_workers_that_begin_later(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "first", wait_at=PROMPTS[0])
    hand.until_it_waits()
    dearer = {"laptop-cpu": {"device": "cpu", "price_usd_per_hour": "36.00"}}
    scene.project.environment(gpu_classes=dearer, workers=WORKERS)
    scene.studio.ledger.close()
    hand.kill()
    scene.run()
    with scene.studio.ledger.read(House("audit")) as session:
        workers = list(session.query(WorkerRow).order_by(WorkerRow.created_at))
        prices = [
            price_of(
                gpu_count=1,
                microseconds=worker.settled_until - worker.started_at,
                micro_usd_per_gpu_hour=price,
            )
            for worker, price in zip(workers, [100_000, 36_000_000, 36_000_000], strict=False)
        ]
        assert [worker.paid_micro_usd for worker in workers] == prices
    scene.check()


def test_a_release_that_is_changed_is_not_paid_for_in_vain(scene: Scene) -> None:
    shard = scene.shard()
    scene.project.release(boundary_ratio=0.5)
    answer = scene.begin(shard, "first").answer()
    assert answer.error == "EngineError"
    assert "was changed after these shots were admitted" in answer.message
    assert not books.paid_and_charged(scene.studio.ledger)
    assert accepted(scene.run()) == len(PROMPTS)
    scene.check()


def test_weights_that_are_damaged_meanwhile(scene: Scene) -> None:
    shard = scene.shard()
    file = scene.project.weights / "model_index.json"
    whole = file.read_bytes()
    try:
        file.write_bytes(b"{} ")
        answer = scene.begin(shard, "first", real_engine=True).answer()
        assert answer.error == "WeightsError"
        assert "model_index.json" in answer.message
        file.write_bytes(b"[]")
        with pytest.raises(WeightsError, match=r"model_index.json has the right size but other"):
            scene.studio.prepare("sample")
        file.unlink()
        file.symlink_to("nowhere")
        assert scene.begin(shard, "second", real_engine=True).answer().error == "WeightsError"
    finally:
        file.unlink()
        file.write_bytes(whole)
    scene.run()
    scene.check()


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_a_clock_that_is_set_changes_no_payment(scene: Scene, seconds: float) -> None:
    hand = scene.begin(scene.shard(), "first", wait_at=PROMPTS[1], clock_jump_seconds=seconds)
    hand.until_it_waits()
    hand.go_on()
    assert hand.answer().summary["accepted"] == len(PROMPTS)
    ((paid, charged),) = books.paid_and_charged(scene.studio.ledger).values()
    assert paid == charged
    assert 0 < paid < Decimal(100_000) * 600 / HOUR
    scene.publish()
    scene.check()


def test_a_shot_whose_quota_is_used_up_meanwhile_is_not_rendered_again(scene: Scene) -> None:
    """Its take failed and gave its reservation back; another campaign took it."""
    scene.project.environment(
        plans={"free": {"shots_per_user_and_day": 3}, "studio": {}}, workers=WORKERS
    )
    scene.project.campaign(tenant="small", prompts=list(PROMPTS))
    scene.project.campaign("other", tenant="small", prompts=["a grey disc"])
    shard = scene.shard()
    hand = scene.begin(shard, "first", greedy_at=PROMPTS[0], memory_bytes=3 << 30, supervised=True)
    assert hand.answer().summary["accepted"] == 2
    scene.run("other")
    summary = scene.begin(shard, "second").answer().summary
    assert (summary["reused"], summary["failed"]) == (2, [])
    ((name, reason),) = summary["declined"].items()
    assert name.startswith(SLUGS[0])
    assert "limit of 3 shots a day" in reason
    scene.check(scene.edition("other"))
