"""When the sensor leaves a concern alone."""

from datetime import UTC, datetime, timedelta

import pytest

from wan_pipelines.components.rerender import LONGEST_PAUSE, Ending, PastRun, pause_after, why_wait
from wan_pipelines.studio.settings import Rerender
from wan_pipelines.studio.watch import Concern

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
POLICY = Rerender(first_backoff_seconds=60, failures_until_rest=3)
CONCERN = Concern("one", {"ball": "changed"}, 0, wish="wish", digest="digest")


def ended(
    seconds_ago: float, ending: Ending = "success", *, wish: str = "wish", concern: str = "digest"
) -> PastRun:
    return PastRun(wish, concern, ending, NOW - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(
    "past",
    [
        [],
        [ended(1, wish="another")],
        [ended(1, wish="another"), ended(2), ended(3), ended(4)],
        [ended(1, concern="another")],
        [ended(1, "failure", wish="another")],
        [ended(61, "failure")],
        [ended(121, "failure"), ended(200, "failure")],
    ],
    ids=[
        "nothing ran",
        "the brief has changed since",
        "the brief went forth and back",
        "the last run helped with something else",
        "it failed for the brief as it was",
        "the pause is over",
        "the longer pause is over",
    ],
)
def test_launches(past: list[PastRun]) -> None:
    assert why_wait(CONCERN, past, POLICY, NOW) is None


@pytest.mark.parametrize(
    ("past", "words"),
    [
        ([ended(59, "failure")], "trying again at 12:00:01 UTC"),
        ([ended(119, "failure"), ended(200, "failure")], "trying again at 12:00:01 UTC"),
        ([ended(59)], "trying again"),
        ([ended(9999), ended(9999), ended(9999)], "3 runs did not help: resting"),
        ([ended(9999, "cancelled")], "cancelled"),
        ([ended(9999, "cancelled", concern="")], "cancelled"),
        ([ended(59, "failure", concern="")], "trying again"),
    ],
    ids=[
        "after a failure",
        "longer after two",
        "after a run that changed nothing",
        "for good after several of those",
        "after a cancelled run",
        "after a person's run that was cancelled",
        "after a person's run that failed",
    ],
)
def test_waits(past: list[PastRun], words: str) -> None:
    assert words in (why_wait(CONCERN, past, POLICY, NOW) or "")


def test_failed_runs_are_tried_again_for_ever() -> None:
    """A ledger that was locked for a day is no reason to forget what changed meanwhile."""
    past = [ended(3601, "failure") for _ in range(100)]
    assert why_wait(CONCERN, past, POLICY, NOW) is None


def test_pauses_double_up_to_an_hour() -> None:
    pauses = [pause_after(tries, POLICY).total_seconds() for tries in range(1, 9)]
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert pause_after(10_000, POLICY) == LONGEST_PAUSE
