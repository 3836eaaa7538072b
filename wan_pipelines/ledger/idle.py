"""The idle account: each day of each fleet is charged for what nobody held of it, and revised."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.fleets import NOTHING, Fleet, Hold, Usage, idle_times
from wan_pipelines.ledger.moments import MICROSECONDS_PER_DAY, from_micros, to_micros
from wan_pipelines.ledger.statements import insert_missing
from wan_pipelines.ledger.tables import IdleEntryRow, WorkerRow
from wan_pipelines.ledger.whose import SHARED, House


@dataclass(frozen=True, slots=True)
class IdleDay:
    """A fleet's day (UTC) as the account has it; `revisions` counts how often it was revised."""

    fleet: str
    gpu_class: str
    day: date
    usage: Usage
    revisions: int


def charge_idle(
    ledger: Ledger, fleets: Sequence[Fleet], first: date, last: date, *, now: datetime
) -> tuple[IdleDay, ...]:
    """Charge the idle time of days that are over; returns the days that changed by it.

    A day that was charged before is charged again only if something else is known of it now: work
    that was reported late, a worker that was given up, a fleet that is declared otherwise. Then the
    earlier entry is taken back and a new one made.
    """
    over = [day for day in _days(first, last) if day + MICROSECONDS_PER_DAY <= to_micros(now)]
    if not fleets or not over:
        return ()
    with ledger.read(House("upkeep")) as session:
        holds = _holds(session, {fleet.gpu_class for fleet in fleets}, over[0], over[-1])
    wanted = {key: usage for day in over for key, usage in _usages(fleets, holds, day)}
    classes = {fleet.name: fleet.gpu_class for fleet in fleets}
    with ledger.write(SHARED) as session:
        known = {(row.fleet, row.starts_at): row for row in session.execute(_account(over))}
        entries = [
            entry
            for (fleet, day), usage in wanted.items()
            for entry in _entries(fleet, classes[fleet], day, known.get((fleet, day)), usage)
        ]
        common = {"created_at": to_micros(now)}
        insert_missing(session, IdleEntryRow, [{**entry, **common} for entry in entries])
        changed = {(entry["fleet"], entry["starts_at"]) for entry in entries}
        after = session.execute(_account(over)).all() if changed else []
    return tuple(_idle_day(row) for row in after if (row.fleet, row.starts_at) in changed)


def idle_days(ledger: Ledger, first: date, last: date) -> tuple[IdleDay, ...]:
    """The account as it stands, by day and fleet."""
    with ledger.read(SHARED) as session:
        rows = session.execute(_account(list(_days(first, last)))).all()
    return tuple(_idle_day(row) for row in rows if row.reserved_gpu_microseconds)


def _days(first: date, last: date) -> Iterator[int]:
    for number in range((last - first).days + 1):
        midnight = datetime.combine(first + timedelta(days=number), time.min, tzinfo=UTC)
        yield to_micros(midnight)


def _holds(session: Session, gpu_classes: set[str], first: int, last: int) -> dict[str, list[Hold]]:
    """What workers held, by class: until they ended, or were last heard of."""
    until = func.coalesce(WorkerRow.ended_at, WorkerRow.heartbeat_at)
    query = select(WorkerRow.gpu_class, WorkerRow.started_at, until, WorkerRow.gpu_count).where(
        WorkerRow.gpu_class.in_(gpu_classes),
        WorkerRow.started_at < last + MICROSECONDS_PER_DAY,
        until > first,
    )
    found: dict[str, list[Hold]] = defaultdict(list)
    for gpu_class, starts_at, ends_at, gpus in session.execute(query):
        found[gpu_class].append(Hold(starts_at, ends_at, gpus))
    return found


def _usages(
    fleets: Sequence[Fleet], holds: dict[str, list[Hold]], day: int
) -> Iterator[tuple[tuple[str, int], Usage]]:
    end = day + MICROSECONDS_PER_DAY
    for gpu_class in {fleet.gpu_class for fleet in fleets}:
        alike = [fleet for fleet in fleets if fleet.gpu_class == gpu_class]
        of_day = [
            hold for hold in holds.get(gpu_class, ()) if hold.starts_at < end and hold.ends_at > day
        ]
        idle = idle_times(alike, of_day, day)
        for fleet in alike:
            yield (fleet.name, day), Usage.of(fleet, day, idle[fleet.name])


def _entries(
    fleet: str, gpu_class: str, day: int, known: Any, usage: Usage
) -> Iterator[dict[str, Any]]:
    """What makes the account say `usage`; nothing where it does."""
    before, of_class = (NOTHING, "") if known is None else (_usage(known), known.gpu_class)
    if usage == before and (usage == NOTHING or gpu_class == of_class):
        return
    revision = -1 if known is None else known.revision
    common = {"fleet": fleet, "starts_at": day}
    if before != NOTHING:
        old = {"revision": revision, "kind": "reversal", "gpu_class": of_class}
        yield {**common, **old, **_amounts(before, -1), "reason": "something else is known now"}
    if usage != NOTHING:
        new = {"revision": revision + 1, "kind": "idle", "gpu_class": gpu_class}
        yield {**common, **new, **_amounts(usage, 1), "reason": ""}


def _amounts(usage: Usage, sign: int) -> dict[str, int]:
    return {
        "reserved_gpu_microseconds": sign * usage.reserved_gpu_microseconds,
        "reserved_micro_usd": sign * usage.reserved_micro_usd,
        "gpu_microseconds": sign * usage.idle_gpu_microseconds,
        "micro_usd": sign * usage.idle_micro_usd,
    }


def _account(days: Sequence[int]) -> Any:
    """Sums by day and fleet: entries that were taken back add up to nothing."""
    return (
        select(
            IdleEntryRow.fleet,
            IdleEntryRow.starts_at,
            _OF_LATEST.label("gpu_class"),
            func.max(IdleEntryRow.revision).label("revision"),
            func.sum(IdleEntryRow.reserved_gpu_microseconds).label("reserved_gpu_microseconds"),
            func.sum(IdleEntryRow.reserved_micro_usd).label("reserved_micro_usd"),
            func.sum(IdleEntryRow.gpu_microseconds).label("gpu_microseconds"),
            func.sum(IdleEntryRow.micro_usd).label("micro_usd"),
        )
        .where(IdleEntryRow.starts_at.between(days[0], days[-1]))
        .group_by(IdleEntryRow.fleet, IdleEntryRow.starts_at)
        .order_by(IdleEntryRow.starts_at, IdleEntryRow.fleet)
    )


_Latest = aliased(IdleEntryRow)
_OF_LATEST = (
    select(_Latest.gpu_class)
    .where(_Latest.fleet == IdleEntryRow.fleet, _Latest.starts_at == IdleEntryRow.starts_at)
    .order_by(_Latest.revision.desc())
    .limit(1)
    .scalar_subquery()
)
"""A fleet may have been declared of another class since."""


def _usage(row: Any) -> Usage:
    return Usage(
        int(row.reserved_gpu_microseconds),
        int(row.reserved_micro_usd),
        int(row.gpu_microseconds),
        int(row.micro_usd),
    )


def _idle_day(row: Any) -> IdleDay:
    day = from_micros(row.starts_at).date()
    return IdleDay(row.fleet, row.gpu_class, day, _usage(row), row.revision)
