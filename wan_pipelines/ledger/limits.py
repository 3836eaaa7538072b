"""Limits: how much of what may be spent in which window, and how changes of them add up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from wan_pipelines.ledger.amounts import ANY, MEASURES, Measure, told

Scope = Literal["user_day", "tenant_day", "tenant_month"]
ChangeKind = Literal["set", "grant"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
PER: dict[Scope, str] = {
    "user_day": "per user and day",
    "tenant_day": "a day",
    "tenant_month": "a month",
}


class Subject(NamedTuple):
    """What is limited: a measure in a scope."""

    scope: Scope
    measure: Measure


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` of a measure in each window of a scope; `None`: no limit."""

    scope: Scope
    measure: Measure
    most: int | None

    @property
    def subject(self) -> Subject:
        return Subject(self.scope, self.measure)

    @property
    def told(self) -> str:
        """In words, such as "5 shots per user and day"."""
        return f"{self.amount} {PER[self.scope]}"

    @property
    def amount(self) -> str:
        """How much, in words: "5 shots", "any number of shots"."""
        return ANY[self.measure] if self.most is None else told(self.measure, self.most)


@dataclass(frozen=True, slots=True)
class LimitChange:
    """Somebody's decision about a limit of one tenant, or of one of its users.

    `set` puts `amount` in the plan's place (`None`: no limit), `grant` adds it. Both hold from
    `starts_at` until `expires_at`, for good if that is `None`. Later decisions override earlier
    ones, and those about a user those about all.
    """

    tenant: str
    user: str | None
    scope: Scope
    measure: Measure
    kind: ChangeKind
    amount: int | None
    starts_at: datetime
    expires_at: datetime | None
    reason: str
    decided_by: str
    decided_at: datetime

    def holds(self, now: datetime) -> bool:
        return self.starts_at <= now and (self.expires_at is None or now < self.expires_at)


def effective(
    declared: Iterable[Limit], changes: Sequence[LimitChange], now: datetime
) -> tuple[Limit, ...]:
    """The limits that hold now: the plan's, as `changes` (in order of decision) changed them."""
    limits: dict[Subject, int | None] = {limit.subject: limit.most for limit in declared}
    holding = [change for change in changes if change.holds(now)]
    for change in sorted(holding, key=lambda change: change.user is not None):
        if change.kind == "set":
            limits[Subject(change.scope, change.measure)] = change.amount
    for subject, most in limits.items():
        if most is not None:
            limits[subject] = most + _granted(subject, holding)
    found = [Limit(*subject, most) for subject, most in limits.items() if most is not None]
    return tuple(sorted(found, key=_order))


def _order(limit: Limit) -> tuple[int, int]:
    """Users' before tenants', shots before time before money."""
    return SCOPES.index(limit.scope), MEASURES.index(limit.measure)


def _granted(subject: Subject, holding: Iterable[LimitChange]) -> int:
    return sum(
        change.amount or 0
        for change in holding
        if change.kind == "grant" and (change.scope, change.measure) == subject
    )


@dataclass(frozen=True, slots=True)
class Window:
    """The local days that a scope looks at: ISO dates, both included, and when the next begins."""

    name: str
    first_day: str
    last_day: str
    resets_at: datetime
    begins_at: datetime


def window_of(scope: Scope, moment: datetime, zone: ZoneInfo) -> Window:
    """The window of a scope around a moment, in a tenant's time zone."""
    today = moment.astimezone(zone).date()
    if scope != "tenant_month":
        day = today.isoformat()
        return Window(day, day, day, next_midnight(moment, zone), _beginning(today, zone))
    first = today.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    last = following - timedelta(days=1)
    days = (first.isoformat(), last.isoformat())
    return Window(f"{first:%Y-%m}", *days, _beginning(following, zone), _beginning(first, zone))


def local_day(moment: datetime, zone: ZoneInfo) -> str:
    """The ISO date of a moment in a time zone."""
    return moment.astimezone(zone).date().isoformat()


def next_midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    """When the next local day begins, in UTC."""
    return _beginning(moment.astimezone(zone).date() + timedelta(days=1), zone)


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, in UTC.

    Where clocks jump over midnight, the day begins with the jump; where midnight comes twice,
    with the first.
    """
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
