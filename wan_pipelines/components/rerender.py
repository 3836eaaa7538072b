"""When the sensor launches a run for a concern, and when it leaves it alone for a while."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Literal

from wan_pipelines.ledger.backoff import Backoff
from wan_pipelines.studio.watch import Concern

Ending = Literal["success", "failure", "cancelled"]


@dataclass(frozen=True, slots=True)
class PastRun:
    """What a run was to bring about, and how it ended; a person's run has no `concern`."""

    wish: str
    concern: str
    ending: Ending
    ended_at: datetime


def why_wait(
    concern: Concern, past: Sequence[PastRun], backoff: Backoff, now: datetime
) -> str | None:
    """Why nothing is launched now; none if a run may be.

    Args:
        concern: what is not as it should be.
        past: runs of the same edition, latest first.

    A run that failed before it came to the shots says nothing about them: it is tried again, after
    growing pauses, for as long as it takes. When runs for the very same concern
    succeed and it stands nevertheless, more of them will not help: it rests.
    """
    same_wish = list(takewhile(lambda run: run.wish == concern.wish, past))
    if same_wish and same_wish[0].ending == "cancelled":
        return "the last run was cancelled: resting until the brief changes or somebody launches it"
    helpless = list(takewhile(lambda run: run.concern == concern.digest, same_wish))
    if _number(helpless, "success") >= backoff.failures_until_rest:
        return f"{len(helpless)} runs did not help: resting until something changes"
    failed = list(takewhile(lambda run: run.ending == "failure", same_wish))
    tries = max(len(failed), len(helpless))
    if not tries:
        return None
    again = same_wish[0].ended_at + backoff.pause(tries)
    if now < again:
        return f"the last run did not help: trying again at {again.astimezone(UTC):%H:%M:%S} UTC"
    return None


def _number(runs: Iterable[PastRun], ending: Ending) -> int:
    return sum(run.ending == ending for run in runs)
