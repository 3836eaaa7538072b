from tests.rendering.stage import SteppedClock
from wan_pipelines.rendering.progress import Progress, ProgressTold


def test_progress_is_said_now_and_then() -> None:
    time, said = SteppedClock(), list[str]()
    tell = ProgressTold(said.append, 10.0, time.clock)
    for step in range(4):
        tell(Progress("b", "take", step, 4, 1, 2))
        time.advance(4.0)
    tell(None)
    assert said == ["b: step 0 of 4 (1 of 2 shots done)", "b: step 3 of 4 (1 of 2 shots done)"]
