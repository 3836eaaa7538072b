"""Budgets: what workers were paid and what is reserved, against what may be spent.

A budget is of an edition, for good; or of a campaign or a whole tenant, for each month of the
tenant's time zone. A worker counts in the month in which it began.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from wan_pipelines.ledger.amounts import Amount, told
from wan_pipelines.ledger.limits import Window, window_of

Action = Literal["notify", "finish", "stop"]

NEVER = datetime.max.replace(tzinfo=UTC)


class BudgetKey(NamedTuple):
    """Whose budget it is: an edition's, a campaign's (no edition), a tenant's (no campaign)."""

    tenant: str
    campaign: str = ""
    edition: str = ""

    @property
    def told(self) -> str:
        """In words, such as "edition demo/2026-11-02"."""
        if self.edition:
            return f"edition {self.campaign}/{self.edition}"
        return f"campaign {self.campaign}" if self.campaign else f"tenant {self.tenant}"

    @property
    def setting(self) -> str:
        """Where it is written."""
        return "budget_usd or budget.usd" if self.edition else "budget_per_month"


@dataclass(frozen=True, slots=True)
class Budget:
    """Micro-dollars: all of it, and from which amounts on something happens.

    At `notify` somebody is told. No shot is begun from `finish` on, nor admitted that would exceed
    it; those that run are finished. From `stop` on they are stopped, too.
    """

    whole: int
    notify: tuple[int, ...] = ()
    finish: int | None = None
    stop: int | None = None

    @property
    def most(self) -> int | None:
        """What admissions stay within; None: anything."""
        return min((each for each in (self.finish, self.stop) if each is not None), default=None)

    @property
    def ceiling(self) -> int:
        """What admissions stay within, or all of one that only notifies."""
        return self.whole if self.most is None else self.most

    def thresholds(self) -> Iterator[tuple[Action, int]]:
        """What happens at which amount."""
        for at in sorted(set(self.notify)):
            yield "notify", at
        if self.finish is not None:
            yield "finish", self.finish
        if self.stop is not None:
            yield "stop", self.stop


class Budgets(NamedTuple):
    """What a campaign's brief declares: for an edition, and for all of them a month."""

    edition: Budget | None = None
    month: Budget | None = None


NO_BUDGETS = Budgets()


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """A budget, and what of it is gone: paid to workers, and reserved for shots that wait."""

    key: BudgetKey
    budget: Budget
    window: Window | None
    time_zone: str
    paid: int
    reserved: int = 0

    @classmethod
    def of(cls, key: BudgetKey, budget: Budget, time_zone: str, now: datetime) -> Self:
        """With nothing gone yet."""
        window = None if key.edition else window_of("tenant_month", now, ZoneInfo(time_zone))
        return cls(key, budget, window, time_zone, 0)

    @property
    def used(self) -> int:
        return self.paid + self.reserved

    @property
    def month(self) -> str:
        """Such as "2026-11"; empty for an edition's, which never begins anew."""
        return self.window.name if self.window else ""

    @property
    def resets_at(self) -> datetime:
        return self.window.resets_at if self.window else NEVER

    @property
    def left(self) -> int | None:
        """What may still be admitted; None: anything."""
        most = self.budget.most
        return None if most is None else max(0, most - self.used)

    @property
    def may_begin(self) -> bool:
        """May another shot begin? What is reserved may be what it needs."""
        return self.budget.most is None or self.paid < self.budget.most

    @property
    def may_go_on(self) -> bool:
        """May shots that run be finished?"""
        return self.budget.stop is None or self.paid < self.budget.stop

    @property
    def reached(self) -> tuple[tuple[Action, int], ...]:
        """Thresholds that are behind it."""
        return tuple((action, at) for action, at in self.budget.thresholds() if self.used >= at)

    def lacks(self, amount: Amount) -> bool:
        """Is less left than that?"""
        return self.left is not None and amount.micro_usd > self.left

    def less(self, amount: Amount) -> Self:
        """The same after so much more has been reserved."""
        return replace(self, reserved=self.reserved + amount.micro_usd)

    def may_run_at(self, amount: Amount) -> datetime | None:
        """When so much is left again; not before somebody raises it, if that is never."""
        within = self.window is not None and amount.micro_usd <= (self.budget.most or 0)
        return self.resets_at if within else None

    def refusal(self, amount: Amount) -> str:
        """Why that is refused, and what to do."""
        words = (self.budget.most or 0, self.left or 0, amount.micro_usd)
        most, left, needed = (told("micro_usd", value) for value in words)
        remedy = f"raise {self.key.setting} and run it again"
        if self.may_run_at(amount) and self.window:
            resets = self.window.resets_at.astimezone(ZoneInfo(self.time_zone))
            remedy = f"may run from {resets:%Y-%m-%d %H:%M %Z}, or {remedy}"
        return f"budget of {most} for {self.whose}: {left} left, about {needed} needed; {remedy}"

    @property
    def stopping(self) -> str:
        """Why shots that run are stopped."""
        stop, paid = (told("micro_usd", value) for value in (self.budget.stop or 0, self.paid))
        return (
            f"The budget for {self.whose} stops what runs at {stop}, and {paid} were paid. "
            f"Raise {self.key.setting} and run it again: it goes on from the last checkpoint."
        )

    @property
    def whose(self) -> str:
        return f"{self.key.told} in {self.month}" if self.window else self.key.told
