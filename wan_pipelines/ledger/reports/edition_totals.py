"""One edition in figures, counted and summed by the database."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session, aliased

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey, edition_id_of
from wan_pipelines.ledger.reports.amounts import UNATTRIBUTED, WASTED
from wan_pipelines.ledger.reports.video_rows import SHOWN
from wan_pipelines.ledger.tables import ChargeRow, EditionShotRow, TakeRow, WorkerRow


@dataclass(frozen=True, slots=True)
class EditionTotals:
    """An edition in figures.

    `shots` counts what the campaign asks for now, `states` all rows by state, withdrawn ones
    included. `accepted` counts shots that have a video, `reused` those of them that were not
    rendered here, `failed` those whose latest take failed, `waiting` the other admitted ones. The
    cost is what this edition's workers were charged: `wasted` went into takes that are not
    accepted, or into no take (`unattributed`); `superseded` went into shots that changed since, so
    that no row names them any more. The shots' costs, `unattributed` and `superseded` add up to it.
    """

    shots: int
    states: Mapping[str, int]
    accepted: int
    reused: int
    failed: int
    waiting: int
    gpu_microseconds: int
    cost_micro_usd: int
    wasted_micro_usd: int
    unattributed_micro_usd: int
    superseded_micro_usd: int
    micro_usd_by_kind: Mapping[str, int]


def edition_totals(ledger: Ledger, edition: EditionKey) -> EditionTotals:
    """The figures of an edition; cheap enough to ask for every second."""
    with ledger.read(edition.tenant) as session:
        edition_id = edition_id_of(session, edition)
        states, fates = _counts(session, edition_id)
        sums = session.execute(
            select(*(func.coalesce(func.sum(column), 0) for column in _SUMMED))
            .join(WorkerRow, WorkerRow.id == ChargeRow.worker_id)
            .outerjoin(TakeRow, TakeRow.id == ChargeRow.take_id)
            .where(WorkerRow.edition_id == edition_id)
        ).one()
        by_kind = session.execute(
            select(ChargeRow.kind, func.sum(ChargeRow.micro_usd))
            .join(WorkerRow, WorkerRow.id == ChargeRow.worker_id)
            .where(WorkerRow.edition_id == edition_id)
            .group_by(ChargeRow.kind)
            .order_by(func.sum(ChargeRow.micro_usd).desc(), ChargeRow.kind)
        ).all()
    gpu_microseconds, cost, wasted, unattributed, superseded = map(int, sums)
    return EditionTotals(
        shots=states.total() - states["withdrawn"],
        states=dict(states),
        accepted=fates["accepted"],
        reused=fates["reused"],
        failed=fates["failed"],
        waiting=fates["waiting"],
        gpu_microseconds=gpu_microseconds,
        cost_micro_usd=cost,
        wasted_micro_usd=wasted,
        unattributed_micro_usd=unattributed,
        superseded_micro_usd=superseded,
        micro_usd_by_kind={kind: int(amount) for kind, amount in by_kind},
    )


_still_wanted = exists().where(
    EditionShotRow.edition_id == TakeRow.edition_id, EditionShotRow.shot_id == TakeRow.shot_id
)
_SUPERSEDED = case(
    (TakeRow.id.is_not(None) & ~_still_wanted, ChargeRow.micro_usd),
    else_=0,
)
_SUMMED = (
    ChargeRow.gpu_microseconds,
    ChargeRow.micro_usd,
    WASTED,
    UNATTRIBUTED,
    _SUPERSEDED,
)
_Accepted = aliased(TakeRow)
_latest_outcome = (
    select(TakeRow.outcome)
    .where(
        TakeRow.shot_id == EditionShotRow.shot_id, TakeRow.edition_id == EditionShotRow.edition_id
    )
    .order_by(TakeRow.started_at.desc(), TakeRow.created_at.desc(), TakeRow.id.desc())
    .limit(1)
    .correlate(EditionShotRow)
    .scalar_subquery()
)


def _counts(session: Session, edition_id: int) -> tuple[Counter[str], Counter[str]]:
    """Shots by state, and how many are accepted, reused, failed, waiting."""
    shots = (
        select(
            EditionShotRow.state,
            _Accepted.edition_id.label("home"),
            _latest_outcome.label("outcome"),
        )
        .outerjoin(
            _Accepted,
            (_Accepted.shot_id == EditionShotRow.shot_id) & (_Accepted.outcome == "accepted"),
        )
        .where(EditionShotRow.edition_id == edition_id)
        .subquery()
    )
    grouped = select(shots, func.count()).group_by(*shots.c)
    states: Counter[str] = Counter()
    fates: Counter[str] = Counter()
    for state, home, outcome, count in session.execute(grouped):
        states[state] += count
        if home is not None and state in SHOWN:
            fates["accepted"] += count
            if home != edition_id or state == "duplicate":
                fates["reused"] += count
        elif state == "admitted":
            fates["failed" if outcome == "failed" else "waiting"] += count
    return states, fates
