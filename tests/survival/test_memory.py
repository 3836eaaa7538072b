"""A worker that gets no more memory."""

from tests.survival.scenes import PROMPTS, Scene, accepted

FURTHER_BYTES = 3 << 30
"""Address space, not memory: nothing of it is touched."""


def test_no_memory_to_load_the_engine(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "first", greedy_at="load", memory_bytes=FURTHER_BYTES)
    answer = hand.answer()
    assert answer.error == "EngineError"
    assert "MemoryError" in answer.message
    assert accepted(scene.run()) == len(PROMPTS)
    scene.check()


def test_no_memory_for_one_shot_fails_that_shot_alone(scene: Scene) -> None:
    hand = scene.begin(scene.shard(), "first", greedy_at=PROMPTS[0], memory_bytes=FURTHER_BYTES)
    answer = hand.answer()
    assert (answer.summary["accepted"], len(answer.summary["failed"])) == (2, 1)
    assert any("Unable to allocate" in error for error in scene.errors())
    assert accepted(scene.run()) == 1
    scene.check()
