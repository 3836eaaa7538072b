"""What is launched without a campaign's schedule: shots again, and prompts that are typed in."""

from datetime import timedelta

from pydantic import Field

from wan_pipelines.ledger.backoff import FACTOR, LONGEST, Backoff
from wan_pipelines.records import Record


class Rerender(Record):
    """When the sensor renders a shot again, and when it repeats a run that failed."""

    first_backoff_seconds: float = Field(
        default=60,
        gt=0,
        le=LONGEST.total_seconds(),
        description=f"Pause after the first failure, {FACTOR} times as long after each further "
        f"one; never longer than {LONGEST.total_seconds():g} s.",
    )
    failures_until_rest: int = Field(
        default=4, ge=1, description="Failures after which a shot rests until it changes."
    )

    @property
    def backoff(self) -> Backoff:
        """The pauses that these settings mean."""
        return Backoff(timedelta(seconds=self.first_backoff_seconds), self.failures_until_rest)


class Prompts(Record):
    """What holds for a prompt that is typed in on its own, unless it says otherwise."""

    release: str = Field(default="wan-tiny", description="A release of assets/models.")
    tenant: str = Field(default="demo", description="Who pays.")
    user: str = Field(default="demo", description="Who asks; counts towards the daily quota.")
