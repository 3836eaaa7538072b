"""What a run had launched before it was resumed: Dagster replays its events and claims anew."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

import dagster as dg

LAUNCH = dg.DagsterEventType.STEP_WORKER_STARTING
ENDS = {
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_UP_FOR_RETRY,
}


@dataclass(frozen=True)
class Replay:
    """How often steps of a run were launched, and have ended, before it was resumed."""

    launched: Counter[str] = field(default_factory=Counter[str])
    ended: Counter[str] = field(default_factory=Counter[str])

    @classmethod
    def of(cls, instance: dg.DagsterInstance, run_id: str) -> Self:
        """From the events of the run."""
        told = [entry.dagster_event for entry in instance.all_logs(run_id, {LAUNCH, *ENDS})]
        events = [event for event in told if event]
        return cls(_steps(events, {LAUNCH}), _steps(events, ENDS))

    def next(self, step_key: str) -> Literal["ended", "runs"] | None:
        """What has become of the step's next launch; None where it is a new one."""
        if not self.launched[step_key]:
            return None
        self.launched[step_key] -= 1
        if not self.ended[step_key]:
            return "runs"
        self.ended[step_key] -= 1
        return "ended"


def _steps(events: Iterable[dg.DagsterEvent], kinds: set[dg.DagsterEventType]) -> Counter[str]:
    return Counter(event.step_key or "" for event in events if event.event_type in kinds)
