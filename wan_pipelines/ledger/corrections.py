"""Corrections: charges at another price than they were made at, by entries that take back others.

No charge is changed. A correction takes each charge it is about back, with a charge of the same
amounts below zero, and puts one of the same GPU time at the right price in its place. What a worker
was paid and what its takes count of a quota follow, so that all sums do. A charge that has been
taken back is never taken back again: the next correction is about what stands in its place.

What was waived stays so when a price is put right for an interval later: its run or take was meant,
whatever its class costs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, bindparam, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.charges import apportion
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR, round_half_up
from wan_pipelines.ledger.prices import Market
from wan_pipelines.ledger.quota_corrections import correct_quotas
from wan_pipelines.ledger.statements import chunks, storable, table
from wan_pipelines.ledger.tables import (
    ChargeRow,
    CorrectedChargeRow,
    CorrectionRow,
    PriceRow,
    WorkerRow,
)
from wan_pipelines.ledger.whose import House

WORK = {"run_id", "take_id"}
"""What a selection names that is about some work, whatever the price of its class."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Charges: of workers that began in an interval, of a class, of whoever; what is None, of all.

    `until` is not part of the interval. With `take_id`, that take's charges alone.
    """

    gpu_class: str | None = None
    market: Market | None = None
    since: datetime | None = None
    until: datetime | None = None
    tenant: str | None = None
    run_id: str | None = None
    take_id: str | None = None

    def words(self) -> dict[str, str]:
        """What it says, as it is kept."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Rerating:
    """A decision: the selected charges are to be at that price; 0 waives them."""

    selection: Selection
    micro_usd_per_gpu_hour: int
    decided_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rerated:
    """What a correction did: workers and charges that changed, and their sums before and after.

    `selected` are all workers that it was about.
    """

    correction_id: int | None
    selected: int
    workers: int
    charges: int
    before_micro_usd: int
    after_micro_usd: int


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction that was made, in words and sums; `micro_usd` is by how much it changed them."""

    id: int
    selection: Mapping[str, str]
    micro_usd_per_gpu_hour: int
    decided_by: str
    reason: str
    decided_at: datetime
    charges: int
    micro_usd: int


class _Change(NamedTuple):
    """A charge, and what it is to be instead."""

    charge: Row[Any]
    micro_usd: int


def rerate(ledger: Ledger, rerating: Rerating, *, now: datetime, dry_run: bool = False) -> Rerated:
    """Bring charges to another price, all or none; what is at it already stays as it is.

    Doing it again therefore changes nothing, unless charges have been made since. Raises
    `LedgerError` for a decision without selection or reason, and for a negative price.
    """
    problem = _problem(rerating)
    if problem:
        raise LedgerError(f"The charges stay as they are: {problem}.")
    with ledger.write(House("operator")) as session:
        outcome = _rerate(session, rerating, now)
        if dry_run:
            session.rollback()
    return outcome


def corrections(ledger: Ledger) -> tuple[Correction, ...]:
    """All corrections that were made, in order."""
    with ledger.read(House("operator")) as session:
        return tuple(
            Correction(
                id=row.id,
                selection=row.selection,
                micro_usd_per_gpu_hour=row.micro_usd_per_gpu_hour,
                decided_by=row.decided_by,
                reason=row.reason,
                decided_at=from_micros(row.created_at),
                charges=charges,
                micro_usd=int(micro_usd),
            )
            for row, charges, micro_usd in session.execute(_CORRECTIONS)
        )


def _problem(rerating: Rerating) -> str:
    selection = rerating.selection
    if not selection.words():
        return "say which ones are meant, or all of them would be"
    if selection.since and selection.until and selection.since >= selection.until:
        return "the interval ends before it begins"
    if rerating.micro_usd_per_gpu_hour < 0:
        return "the price is negative"
    if not rerating.reason.strip():
        return "a decision has a reason, for whoever looks at it later"
    return ""


def _rerate(session: Session, rerating: Rerating, now: datetime) -> Rerated:
    correction: int | None = None
    workers, charges, before, after = 0, 0, 0, 0
    waivers = () if rerating.selection.words().keys() & WORK else _waivers(session)
    selected = _locked_workers(session, rerating.selection)
    for some in chunks(selected):
        found = list(_changes(session, some, rerating, waivers))
        if not found:
            continue
        correction = correction or _decided(session, rerating, now)
        _post(session, found, correction, now)
        workers += len({change.charge.worker_id for change in found})
        charges += len(found)
        before += sum(change.charge.micro_usd for change in found)
        after += sum(change.micro_usd for change in found)
    if correction:
        price, take_id = rerating.micro_usd_per_gpu_hour, rerating.selection.take_id
        correct_quotas(session, correction, price, now, take_id=take_id, waivers=waivers)
    return Rerated(correction, len(selected), workers, charges, before, after)


def _locked_workers(session: Session, selection: Selection) -> Sequence[str]:
    """In the order in which everybody locks them."""
    query = select(WorkerRow.id).join(PriceRow, PriceRow.id == WorkerRow.price_id)
    locked = query.where(*_wanted(selection)).order_by(WorkerRow.started_at, WorkerRow.id)
    return session.scalars(locked.with_for_update(of=WorkerRow, key_share=True)).all()


def _wanted(selection: Selection) -> Iterator[ColumnElement[bool]]:
    named = (
        (WorkerRow.gpu_class, selection.gpu_class),
        (PriceRow.market, selection.market),
        (WorkerRow.tenant, selection.tenant),
        (WorkerRow.run_id, selection.run_id),
    )
    yield from (column == value for column, value in named if value is not None)
    if selection.since:
        yield WorkerRow.started_at >= to_micros(selection.since)
    if selection.until:
        yield WorkerRow.started_at < to_micros(selection.until)
    if selection.take_id:
        of_take = select(ChargeRow.worker_id).where(ChargeRow.take_id == selection.take_id)
        yield WorkerRow.id.in_(of_take)


def _waivers(session: Session) -> Sequence[int]:
    """Corrections by which runs and takes were waived."""
    query = select(CorrectionRow.id, CorrectionRow.selection).where(
        CorrectionRow.micro_usd_per_gpu_hour == 0
    )
    return [made.id for made in session.execute(query) if made.selection.keys() & WORK]


def _changes(
    session: Session, workers: Sequence[str], rerating: Rerating, waivers: Sequence[int]
) -> Iterator[_Change]:
    """What differs. A worker's payment is rounded once, and split as its charges split its time."""
    query = _STANDING.where(ChargeRow.worker_id.in_(workers))
    if waivers:
        query = query.where(_Made.correction_id.is_(None) | _Made.correction_id.not_in(waivers))
    if rerating.selection.take_id:
        query = query.where(ChargeRow.take_id == rerating.selection.take_id)
    for _, rows in groupby(session.execute(query), key=lambda row: row.worker_id):
        charges = list(rows)
        weights = [charge.gpu_microseconds for charge in charges]
        held = sum(weights)
        total = round_half_up(held * rerating.micro_usd_per_gpu_hour, MICROSECONDS_PER_HOUR)
        if not held or total == sum(charge.micro_usd for charge in charges):
            continue
        for charge, amount in zip(charges, apportion(total, weights), strict=True):
            if amount != charge.micro_usd:
                yield _Change(charge, amount)


def _decided(session: Session, rerating: Rerating, now: datetime) -> int:
    row = CorrectionRow(
        selection=rerating.selection.words(),
        micro_usd_per_gpu_hour=rerating.micro_usd_per_gpu_hour,
        decided_by=storable(rerating.decided_by, 200),
        reason=storable(rerating.reason),
        created_at=to_micros(now),
    )
    session.add(row)
    session.flush()
    return row.id


def _post(session: Session, changes: Sequence[_Change], correction: int, now: datetime) -> None:
    moment = to_micros(now)
    entries: list[dict[str, Any]] = []
    for change in changes:
        kept = {name: getattr(change.charge, name) for name in ("tenant", *_KEPT)}
        time, money = change.charge.gpu_microseconds, change.charge.micro_usd
        common = {**kept, "created_at": moment}
        entries.append({**common, "gpu_microseconds": -time, "micro_usd": -money})
        entries.append({**common, "gpu_microseconds": time, "micro_usd": change.micro_usd})
    ids = session.scalars(_INSERT_CHARGES, entries).all()
    reversed_ones = [reverses for change in changes for reverses in (change.charge.id, None)]
    links = [
        {"charge_id": made, "correction_id": correction, "reverses": old, "created_at": moment}
        for made, old in zip(ids, reversed_ones, strict=True)
    ]
    session.execute(insert(table(CorrectedChargeRow)), links)
    for worker, some in groupby(changes, key=lambda change: change.charge.worker_id):
        more = sum(change.micro_usd - change.charge.micro_usd for change in some)
        session.execute(_PAY, {"worker": worker, "more": more})


_KEPT = ("worker_id", "take_id", "kind")
_Made = aliased(CorrectedChargeRow)
_Reversing = aliased(CorrectedChargeRow)
_STANDING = (
    select(
        ChargeRow.id,
        ChargeRow.tenant,
        ChargeRow.worker_id,
        ChargeRow.take_id,
        ChargeRow.kind,
        ChargeRow.gpu_microseconds,
        ChargeRow.micro_usd,
    )
    .outerjoin(_Made, _Made.charge_id == ChargeRow.id)
    .outerjoin(_Reversing, _Reversing.reverses == ChargeRow.id)
    .where(_Reversing.charge_id.is_(None), _Made.reverses.is_(None))
    .order_by(ChargeRow.worker_id, ChargeRow.id)
)
"""Charges that were not taken back, and take back none."""

_SUMS = (
    select(
        CorrectedChargeRow.correction_id,
        func.count(CorrectedChargeRow.reverses).label("charges"),
        func.sum(ChargeRow.micro_usd).label("micro_usd"),
    )
    .join(ChargeRow, ChargeRow.id == CorrectedChargeRow.charge_id)
    .group_by(CorrectedChargeRow.correction_id)
    .subquery()
)
_CORRECTIONS = (
    select(CorrectionRow, _SUMS.c.charges, _SUMS.c.micro_usd)
    .join(_SUMS, _SUMS.c.correction_id == CorrectionRow.id)
    .order_by(CorrectionRow.id)
)
_CHARGES, _WORKERS = table(ChargeRow), table(WorkerRow)
_INSERT_CHARGES = insert(_CHARGES).returning(_CHARGES.c.id, sort_by_parameter_order=True)
_PAY = (
    update(_WORKERS)
    .where(_WORKERS.c.id == bindparam("worker"))
    .values(paid_micro_usd=_WORKERS.c.paid_micro_usd + bindparam("more"))
)
