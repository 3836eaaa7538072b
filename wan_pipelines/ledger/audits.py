"""Audits: does every entry stand where the takes and charges say it should? Repairs nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session, aliased

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros
from wan_pipelines.ledger.money import price_of
from wan_pipelines.ledger.tables import (
    ChargeRow,
    CorrectedChargeRow,
    EditionShotRow,
    IdleEntryRow,
    PriceRow,
    QuotaEntryRow,
    TakeRow,
    WorkerRow,
)
from wan_pipelines.ledger.tables.takes import RUNNING
from wan_pipelines.ledger.taken import STAGE_MICROSECONDS
from wan_pipelines.ledger.whose import House

Trouble = Literal["unheld", "unreserved", "unsettled", "mismeasured", "uncharged", "unreversed"]

KEPT = ("accepted", "forgotten")


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """What does not add up: `name` is a reservation or worker of a tenant, or a fleet."""

    trouble: Trouble
    tenant: str
    name: str
    words: str


def discrepancies(ledger: Ledger) -> tuple[Discrepancy, ...]:
    """All of them, of all tenants, as of one moment; empty where everything adds up.

    Takes from before GPU time and money were limited were settled as shots alone, which is right.
    """
    with ledger.read(House("audit"), at_once=True) as session:
        return (
            *_holding(session),
            *_settling(session),
            *_charging(session),
            *_reversing(session),
            *_idling(session),
        )


def _holding(session: Session) -> Iterator[Discrepancy]:
    """Open reservations that nothing waits for, and what waits without one that is open."""
    opened = {row.reservation: row.tenant for row in session.execute(_OPEN)}
    held = {*filter(None, session.scalars(_WAITING)), *session.scalars(_AT_WORK)}
    for reservation in sorted(opened.keys() - held):
        words = "is reserved, but no shot waits for it and no take uses it"
        yield Discrepancy("unheld", opened[reservation], reservation, words)
    tenants = {row.reservation: row.tenant for row in session.execute(_RESERVED)}
    for reservation in sorted(held - opened.keys()):
        words = "is waited for or used, but was closed or never reserved"
        yield Discrepancy("unreserved", tenants.get(reservation, ""), reservation, words)


def _settling(session: Session) -> Iterator[Discrepancy]:
    """Accepted takes whose reservation does not count what they took."""
    counted = {row.reservation: row for row in session.execute(_COUNTED)}
    for take in session.execute(_TAKEN):
        found = counted.get(take.reservation)
        if found is None:
            words = f"is not settled, though take {take.id} was accepted"
            yield Discrepancy("unsettled", take.tenant, take.reservation, words)
            continue
        microseconds = int(take.microseconds)
        taken = take.gpu_count * microseconds
        cost = price_of(
            gpu_count=take.gpu_count,
            microseconds=microseconds,
            micro_usd_per_gpu_hour=take.micro_usd_per_gpu_hour,
        )
        counts = (int(found.shots), int(found.gpu_microseconds), int(found.micro_usd))
        if counts not in ((1, taken, cost), (1, 0, 0)):
            words = f"counts {counts}, but take {take.id} took {(1, taken, cost)}"
            yield Discrepancy("mismeasured", take.tenant, take.reservation, words)


def _charging(session: Session) -> Iterator[Discrepancy]:
    """Workers whose charges are not what they were paid."""
    for worker in session.execute(_PAID):
        if int(worker.charged) != worker.paid_micro_usd:
            words = f"was paid {worker.paid_micro_usd} micro-dollars, charged are {worker.charged}"
            yield Discrepancy("uncharged", worker.tenant, worker.id, words)


def _reversing(session: Session) -> Iterator[Discrepancy]:
    """Charges of corrections that are not what they take back, below zero."""
    for charge in session.execute(_UNREVERSED):
        words = f"has charge {charge.id}, which should take charge {charge.reverses} back"
        yield Discrepancy("unreversed", charge.tenant, charge.worker_id, words)


def _idling(session: Session) -> Iterator[Discrepancy]:
    """Days of fleets with more than one charge that was not taken back, or not all of it."""
    for day in session.execute(_STANDING_DAYS):
        words = f"is charged {day.standing} times for idle time on {from_micros(day.starts_at):%F}"
        yield Discrepancy("unreversed", "", day.fleet, words)
    for day in session.execute(_HALF_REVERSED):
        words = f"has an entry for {from_micros(day.starts_at):%F} that was taken back in part"
        yield Discrepancy("unreversed", "", day.fleet, words)


_CLOSED = select(QuotaEntryRow.reservation).where(QuotaEntryRow.kind != "reserve")
_RESERVED = select(QuotaEntryRow.reservation, QuotaEntryRow.tenant).where(
    QuotaEntryRow.kind == "reserve"
)
_OPEN = _RESERVED.where(QuotaEntryRow.reservation.not_in(_CLOSED))
_WAITING = select(EditionShotRow.reservation).where(EditionShotRow.reservation.is_not(None))
_AT_WORK = select(TakeRow.reservation).where(RUNNING)
_SETTLED = select(QuotaEntryRow.reservation).where(QuotaEntryRow.kind == "settle")
_COUNTED: Select[tuple[str, int, int, int]] = (
    select(
        QuotaEntryRow.reservation,
        func.sum(QuotaEntryRow.shots).label("shots"),
        func.sum(QuotaEntryRow.gpu_microseconds).label("gpu_microseconds"),
        func.sum(QuotaEntryRow.micro_usd).label("micro_usd"),
    )
    .where(QuotaEntryRow.reservation.in_(_SETTLED), QuotaEntryRow.kind != "correct")
    .group_by(QuotaEntryRow.reservation)
)
_TAKEN = (
    select(
        TakeRow.id,
        TakeRow.tenant,
        TakeRow.reservation,
        WorkerRow.gpu_count,
        PriceRow.micro_usd_per_gpu_hour,
        STAGE_MICROSECONDS.label("microseconds"),
    )
    .join(WorkerRow, WorkerRow.id == TakeRow.worker_id)
    .join(PriceRow, PriceRow.id == WorkerRow.price_id)
    .where(TakeRow.outcome.in_(KEPT))
)
_CHARGED = (
    select(func.coalesce(func.sum(ChargeRow.micro_usd), 0))
    .where(ChargeRow.worker_id == WorkerRow.id)
    .scalar_subquery()
)
_PAID = select(WorkerRow.id, WorkerRow.tenant, WorkerRow.paid_micro_usd, _CHARGED.label("charged"))
_Old = aliased(ChargeRow)
_UNREVERSED = (
    select(ChargeRow.id, ChargeRow.tenant, ChargeRow.worker_id, CorrectedChargeRow.reverses)
    .join(CorrectedChargeRow, CorrectedChargeRow.charge_id == ChargeRow.id)
    .join(_Old, _Old.id == CorrectedChargeRow.reverses)
    .where(
        (ChargeRow.micro_usd != -_Old.micro_usd)
        | (ChargeRow.gpu_microseconds != -_Old.gpu_microseconds)
        | (ChargeRow.worker_id != _Old.worker_id)
        | (ChargeRow.kind != _Old.kind)
        | ChargeRow.take_id.is_distinct_from(_Old.take_id)
    )
)
_STANDING = func.sum(case((IdleEntryRow.kind == "idle", 1), else_=-1))
_STANDING_DAYS = (
    select(IdleEntryRow.fleet, IdleEntryRow.starts_at, _STANDING.label("standing"))
    .group_by(IdleEntryRow.fleet, IdleEntryRow.starts_at)
    .having(_STANDING.not_in((0, 1)))
)
_HALF_REVERSED = (
    select(IdleEntryRow.fleet, IdleEntryRow.starts_at)
    .group_by(IdleEntryRow.fleet, IdleEntryRow.starts_at, IdleEntryRow.revision)
    .having(func.count() > 1)
    .having(
        (func.sum(IdleEntryRow.micro_usd) != 0) | (func.sum(IdleEntryRow.gpu_microseconds) != 0)
    )
)
