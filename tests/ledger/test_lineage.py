from dataclasses import replace

import pytest

from tests.ledger.scenes import DEMO, ERROR, PRICE, Scene, digest, shot, shots
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.lineage import trace
from wan_pipelines.ledger.takes import fail_take, forget_outputs


@pytest.fixture
def scene(ledger: Ledger) -> Scene:
    scene = Scene(ledger)
    scene.admit([shot("a", "a red ball", variables={"colour": "red"}), *shots("b")])
    return scene


def test_a_video_is_traced_back_to_prompt_run_price_and_cost(scene: Scene):
    hand = scene.worker()
    take_id = hand.render(shot("a", "a red ball"), 1500)
    hand.close()
    found = trace(scene.ledger, "acme", f"file:///store/tenants/acme/videos/{take_id}/h264")
    assert (found.take_id, found.request["prompt"]) == (take_id, "a red ball")
    (take,) = found.takes
    assert (take.outcome, take.engine, take.fingerprint) == ("accepted", "reference", "f" * 64)
    assert (take.worker.run_id, take.worker.step_key) == ("run-1", "takes[0]")
    assert take.worker.micro_usd_per_gpu_hour == PRICE
    assert take.micro_usd_by_kind == {"denoise": 1500}
    assert take.gpu_microseconds == 1_500_000
    assert [file.name for file in take.renditions] == ["h264", "poster", "preview"]


def test_a_video_is_traced_forward_to_the_editions_that_show_it(scene: Scene):
    take_id = scene.worker().render(shot("a", "a red ball"))
    scene.later(hours=1)
    scene.admit([shot("crimson", "a red ball")], replace(DEMO, edition="second"))
    uses = trace(scene.ledger, "acme", take_id).uses
    assert [(use.edition, use.shot, use.state) for use in uses] == [
        ("first", "a", "admitted"),
        ("second", "crimson", "reused"),
    ]
    assert uses[0].variables == {"colour": "red"}


def test_attempts_are_told_in_order_with_what_went_wrong(scene: Scene):
    candidate = shot("a", "a red ball")
    hand = scene.worker()
    fail_take(scene.ledger, hand.lease(candidate), ERROR, now=scene.later(seconds=1))
    lost = hand.render(candidate)
    forget_outputs(scene.ledger, "acme", candidate.render_key, "disk broke", now=scene.now)
    kept = hand.render(candidate)
    found = trace(scene.ledger, "acme", candidate.render_key[:8])
    assert found.take_id == kept
    assert [(t.outcome, t.error_message, t.forgotten_because) for t in found.takes] == [
        ("failed", "frames are not finite", None),
        ("forgotten", None, "disk broke"),
        ("accepted", None, None),
    ]
    assert trace(scene.ledger, "acme", digest(lost + "h264")).take_id == lost


def test_what_is_no_video_is_said_to_be_none(scene: Scene):
    take_id = scene.worker().render(shot("a", "a red ball"))
    for name, tenant in (("nothing", "acme"), (take_id, "bolt"), ("", "acme"), ("'; --", "acme")):
        with pytest.raises(LedgerError, match=f"is no video of tenant {tenant}"):
            trace(scene.ledger, tenant, name)
    with pytest.raises(LedgerError, match="has never been rendered"):
        trace(scene.ledger, "acme", shot("b").render_key)
