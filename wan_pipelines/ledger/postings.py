"""Postings: every amount that was paid, in the account that it belongs to. Nothing is left out.

Whoever sums money up does it over `POSTINGS`, and so agrees with everybody else who does:

    select(POSTINGS.c.account, func.sum(POSTINGS.c.micro_usd)).group_by(POSTINGS.c.account)

Accounts, and the parts that they consist of:

| account    | part                     | what it is                                               |
|------------|--------------------------|----------------------------------------------------------|
| `video`    | `render`                 | an accepted take's own time                              |
| `overhead` | `load`, `wait`, `idle`   | what its worker did besides, spread over accepted takes  |
| `overhead` | `replaced`, `wasted`     | takes that were not accepted, and workers without takes; |
|            |                          | `replaced` where another take of the shot was accepted   |
| `idle`     | `unused`                 | reserved GPUs that no worker held                        |

A correction posts into the accounts of what it corrects, so that sums follow it by themselves;
its postings have a `correction_id`. Columns besides: `source` and `id` (a row of `charges` or
`idle_entries`); `tenant`, `edition_id`, `worker_id`, `take_id` (None for idle time); `kind` (as it
was charged), `gpu_class`, `market` (as the price says; None for idle time); `gpu_microseconds`,
`micro_usd`; `starts_at` and `ends_at` (of the worker, or of the idle day), `day` (the UTC day on
which that began, counted from 1970-01-01), `created_at` (when it was posted).
"""

from typing import Literal

from sqlalchemy import BigInteger, ColumnElement, String, case, exists, literal, null, select
from sqlalchemy.orm import aliased

from wan_pipelines.ledger.moments import MICROSECONDS_PER_DAY
from wan_pipelines.ledger.tables import (
    ChargeRow,
    CorrectedChargeRow,
    IdleEntryRow,
    PriceRow,
    TakeRow,
    WorkerRow,
)

PostingAccount = Literal["video", "overhead", "idle"]
Part = Literal["render", "load", "wait", "idle", "replaced", "wasted", "unused"]

OVERHEADS = ("load", "wait", "idle")
"""What a worker does for no take in particular."""

_Accepted = aliased(TakeRow)
_IS_ACCEPTED = TakeRow.outcome == "accepted"
_OWN_TIME = _IS_ACCEPTED & ChargeRow.kind.not_in(OVERHEADS)
_WAS_ACCEPTED_LATER = exists().where(
    _Accepted.shot_id == TakeRow.shot_id, _Accepted.outcome == "accepted"
)


def _word(word: str) -> ColumnElement[str]:
    return literal(word, String())


_CHARGES = (
    select(
        _word("charge").label("source"),
        ChargeRow.id,
        case((_OWN_TIME, _word("video")), else_=_word("overhead")).label("account"),
        case(
            (_OWN_TIME, _word("render")),
            (_IS_ACCEPTED, ChargeRow.kind),
            (_WAS_ACCEPTED_LATER, _word("replaced")),
            else_=_word("wasted"),
        ).label("part"),
        ChargeRow.kind,
        ChargeRow.tenant,
        WorkerRow.edition_id,
        ChargeRow.worker_id,
        ChargeRow.take_id,
        WorkerRow.gpu_class,
        PriceRow.market,
        ChargeRow.gpu_microseconds,
        ChargeRow.micro_usd,
        WorkerRow.started_at.label("starts_at"),
        WorkerRow.settled_until.label("ends_at"),
        (WorkerRow.started_at // MICROSECONDS_PER_DAY).label("day"),
        CorrectedChargeRow.correction_id,
        ChargeRow.created_at,
    )
    .join(WorkerRow, WorkerRow.id == ChargeRow.worker_id)
    .join(PriceRow, PriceRow.id == WorkerRow.price_id)
    .outerjoin(TakeRow, TakeRow.id == ChargeRow.take_id)
    .outerjoin(CorrectedChargeRow, CorrectedChargeRow.charge_id == ChargeRow.id)
)
_IDLE = select(
    _word("idle").label("source"),
    IdleEntryRow.id,
    _word("idle").label("account"),
    _word("unused").label("part"),
    IdleEntryRow.kind,
    null().cast(String()).label("tenant"),
    null().cast(BigInteger()).label("edition_id"),
    null().cast(String()).label("worker_id"),
    null().cast(String()).label("take_id"),
    IdleEntryRow.gpu_class,
    null().cast(String()).label("market"),
    IdleEntryRow.gpu_microseconds,
    IdleEntryRow.micro_usd,
    IdleEntryRow.starts_at,
    (IdleEntryRow.starts_at + MICROSECONDS_PER_DAY).label("ends_at"),
    (IdleEntryRow.starts_at // MICROSECONDS_PER_DAY).label("day"),
    null().cast(BigInteger()).label("correction_id"),
    IdleEntryRow.created_at,
)

POSTINGS = _CHARGES.union_all(_IDLE).subquery("postings")
"""All of them, of all tenants; filter by `POSTINGS.c.tenant` for one."""
