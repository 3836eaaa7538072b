"""What takes count of a quota, after their price was corrected."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select
from sqlalchemy.orm import Session

from wan_pipelines.ledger.audits import KEPT
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.money import MICROSECONDS_PER_HOUR, round_half_up
from wan_pipelines.ledger.statements import table
from wan_pipelines.ledger.tables import (
    ChargeRow,
    CorrectedChargeRow,
    QuotaEntryRow,
    TakeRow,
)


def correct_quotas(
    session: Session,
    correction_id: int,
    micro_usd_per_gpu_hour: int,
    now: datetime,
    *,
    take_id: str | None = None,
    waivers: Sequence[int] = (),
) -> None:
    """Let the settled takes of workers that a correction is about (with `take_id`, that one) count
    at a price; those that corrections waived before stay as they are.

    An entry of kind `correct` on the day of the reservation makes up the difference, if any.
    """
    corrected = (
        select(ChargeRow.worker_id)
        .join(CorrectedChargeRow, CorrectedChargeRow.charge_id == ChargeRow.id)
        .where(CorrectedChargeRow.correction_id == correction_id)
    )
    query = _COUNTED.where(TakeRow.worker_id.in_(corrected), TakeRow.outcome.in_(KEPT))
    if take_id:
        query = query.where(TakeRow.id == take_id)
    if waivers:
        waived = (
            select(ChargeRow.take_id)
            .join(CorrectedChargeRow, CorrectedChargeRow.charge_id == ChargeRow.id)
            .where(CorrectedChargeRow.correction_id.in_(waivers), ChargeRow.take_id.is_not(None))
        )
        query = query.where(TakeRow.id.not_in(waived))
    rows = list(_entries(session, query, micro_usd_per_gpu_hour, to_micros(now)))
    if rows:
        session.execute(insert(table(QuotaEntryRow)), rows)


def _entries(
    session: Session, query: Select[Any], micro_usd_per_gpu_hour: int, moment: int
) -> Iterator[dict[str, Any]]:
    for counted in session.execute(query):
        taken = int(counted.gpu_microseconds)
        cost = round_half_up(taken * micro_usd_per_gpu_hour, MICROSECONDS_PER_HOUR)
        if cost != counted.micro_usd:
            yield {
                "tenant": counted.tenant,
                "user": counted.user,
                "day": counted.day,
                "kind": "correct",
                "shots": 0,
                "reservation": counted.reservation,
                "gpu_microseconds": 0,
                "micro_usd": cost - int(counted.micro_usd),
                "created_at": moment,
            }


_COUNTED = (
    select(
        QuotaEntryRow.tenant,
        QuotaEntryRow.user,
        QuotaEntryRow.day,
        QuotaEntryRow.reservation,
        func.sum(QuotaEntryRow.gpu_microseconds).label("gpu_microseconds"),
        func.sum(QuotaEntryRow.micro_usd).label("micro_usd"),
    )
    .join(TakeRow, TakeRow.reservation == QuotaEntryRow.reservation)
    .group_by(
        QuotaEntryRow.tenant, QuotaEntryRow.user, QuotaEntryRow.day, QuotaEntryRow.reservation
    )
)
