"""A worker that gets no more memory leaves the other shots to a fresh process."""

from tests.support.project import ENVIRONMENT
from tests.survival.scenes import PROMPTS, Scene, accepted
from wan_pipelines.ledger.reports import edition_shots_view

FURTHER_BYTES = 3 << 30
"""Address space, not memory: nothing of it is touched."""


def test_no_memory_to_load_the_engine(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "first", greedy_at="load", memory_bytes=FURTHER_BYTES)
    answer = hand.answer()
    assert (len(answer.summary["failed"]), len(answer.summary["left"])) == (1, 2)
    assert any("Unable to allocate" in error for error in scene.errors())
    assert accepted(scene.run()) == len(PROMPTS)
    scene.check()


def test_no_memory_for_one_shot_fails_that_shot_alone(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "first", greedy_at=PROMPTS[0], memory_bytes=FURTHER_BYTES)
    answer = hand.answer()
    assert (len(answer.summary["failed"]), len(answer.summary["left"])) == (1, 2)
    (error,) = scene.errors()
    assert "Unable to allocate" in error
    assert "Tenant demo takes exact renders only" not in error, "its release has no ladder"
    assert accepted(scene.run()) == len(PROMPTS)
    scene.check()


def test_the_kernel_kills_for_want_of_memory_until_there_is_no_rung_below(scene: Scene) -> None:
    """The prompt is too much on every rung; the others are drawn as they were asked for."""
    scene.project.release(ladder=[{"name": "light", "tier": "light"}], tiers=TIERS)
    tenants = {"demo": {**ENVIRONMENT["tenants"]["demo"], "degradation": "allowed"}}
    scene.project.environment(workers={"count": 1, "lease_seconds": 600}, tenants=tenants)
    hand = scene.begin(scene.shard(), supervised=True, dies_at=PROMPTS[1], kernel_kills=True)
    answer = hand.answer()
    assert (answer.error, answer.summary["accepted"]) == ("", 2)
    (name,) = answer.summary["failed"]
    shots = {shot.shot: shot for shot in edition_shots_view(scene.studio.ledger, scene.edition())}
    failed = shots.pop(name)
    assert (failed.attempts, failed.error_stage, failed.rungs) == (2, "denoise_high", ("light",))
    error = failed.error_message or ""
    assert error.startswith("The kernel killed the worker: the machine was out of memory.")
    assert "declares no rung below light" in error
    assert accepted(scene.run()) == 1
    scene.check()


TIERS = {"draft": {"steps": 3, "guidance": 1.0}, "light": {"steps": 2, "guidance": 1.0}}
