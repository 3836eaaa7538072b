"""What is left of limits, and how a refusal says so."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from wan_pipelines.ledger.amounts import Amount, Measure, told
from wan_pipelines.ledger.budgets import BudgetStanding
from wan_pipelines.ledger.limits import Limit, Scope, Window
from wan_pipelines.ledger.tenants import Account

PERIODS: dict[Scope, tuple[str, str]] = {
    "user_day": ("a day", "on"),
    "tenant_day": ("a day", "on"),
    "tenant_month": ("a month", "in"),
}


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """What is left of a limit in its window; `limit` and `left` are `None` without a limit.

    They and `used` are in the measure's unit: shots, microseconds on GPUs, micro-dollars. `day` is
    the local day or month of the window.
    """

    tenant: str
    user: str
    plan: str
    day: str
    time_zone: str
    limit: int | None
    used: int
    left: int | None
    resets_at: datetime
    scope: Scope = "user_day"
    measure: Measure = "shots"

    @classmethod
    def of(cls, account: Account, limit: Limit, window: Window, used: int) -> Self:
        return cls(
            tenant=account.tenant,
            user=account.user,
            plan=account.plan,
            day=window.name,
            time_zone=account.zone.key,
            limit=limit.most,
            used=used,
            left=None if limit.most is None else max(0, limit.most - used),
            resets_at=window.resets_at,
            scope=limit.scope,
            measure=limit.measure,
        )

    @property
    def whose(self) -> str:
        """Whom the limit binds, in words."""
        return f"user {self.user}" if self.scope == "user_day" else f"tenant {self.tenant}"

    def lacks(self, amount: Amount) -> bool:
        """Is less left than that?"""
        return self.left is not None and amount.of(self.measure) > self.left

    def less(self, amount: Amount) -> Self:
        """The same after so much more has been reserved."""
        taken = amount.of(self.measure)
        left = None if self.left is None else self.left - taken
        return replace(self, used=self.used + taken, left=left)

    def may_run_at(self, amount: Amount) -> datetime | None:
        """When so much is left again; never, if it is more than the whole limit."""
        within = self.limit is None or amount.of(self.measure) <= self.limit
        return self.resets_at if within else None

    def refusal(self, amount: Amount) -> str:
        """Why that is refused: which limit, what is left, what it needs, when it may run."""
        period, preposition = PERIODS[self.scope]
        limit, left = (told(self.measure, value or 0) for value in (self.limit, self.left))
        needs = ""
        smaller = ""
        if self.measure == "shots":
            left = str(self.left)
        else:
            needs = f", about {told(self.measure, amount.of(self.measure))} needed"
            smaller = "choose a smaller shape or tier, or "
        if self.may_run_at(amount) is None:
            when = f"that is more than the whole limit: {smaller}have it raised"
        else:
            resets = self.resets_at.astimezone(ZoneInfo(self.time_zone))
            when = f"may run from {resets:%Y-%m-%d %H:%M %Z}"
        return (
            f"limit of {limit} {period} for {self.whose} (plan {self.plan}): "
            f"{left} left {preposition} {self.day}{needs}; {when}"
        )


Remainder = QuotaLeft | BudgetStanding


def first_lack(remainders: Iterable[Remainder], amount: Amount) -> Remainder | None:
    """What refuses an amount: of those that do, the one that does so for longest."""
    lacking = [remainder for remainder in remainders if remainder.lacks(amount)]
    return max(lacking, key=lambda remainder: remainder.resets_at, default=None)
