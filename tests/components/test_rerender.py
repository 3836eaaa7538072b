"""When the sensor leaves a concern alone."""

from datetime import UTC, datetime, timedelta

import pytest

from wan_pipelines.components.rerender import Ending, PastRun, why_wait
from wan_pipelines.ledger.backoff import Backoff
from wan_pipelines.studio.watch import Concern

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BACKOFF = Backoff(timedelta(minutes=1), failures_until_rest=3)
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
        [ended(241, "failure"), ended(400, "failure")],
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
    assert why_wait(CONCERN, past, BACKOFF, NOW) is None


@pytest.mark.parametrize(
    ("past", "words"),
    [
        ([ended(59, "failure")], "trying again at 12:00:01 UTC"),
        ([ended(239, "failure"), ended(400, "failure")], "trying again at 12:00:01 UTC"),
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
    assert words in (why_wait(CONCERN, past, BACKOFF, NOW) or "")


def test_failed_runs_are_tried_again_for_ever() -> None:
    """A ledger that was locked for a day is no reason to forget what changed meanwhile."""
    past = [ended(3601, "failure") for _ in range(100)]
    assert why_wait(CONCERN, past, BACKOFF, NOW) is None
