"""Costs: what runs were paid, and totals by whatever finance asks for."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, case, func, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey, edition_row_id
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.reports.amounts import UNATTRIBUTED, WASTED
from wan_pipelines.ledger.tables import ChargeRow, EditionRow, ShotRow, TakeRow, WorkerRow
from wan_pipelines.ledger.whose import Asked, tenant_of

Dimension = Literal[
    "tenant", "campaign", "edition", "user", "release", "tier", "engine", "gpu_class", "kind"
]


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run's workers were paid, and what it was charged to.

    Once all its workers are closed, `paid_micro_usd == charged_micro_usd`. `unattributed` is the
    part that belongs to no take, `wasted` that and what went into takes that were not accepted.
    """

    tenant: str
    run_id: str
    workers: int
    open_workers: int
    takes: int
    accepted_takes: int
    gpu_microseconds: int
    paid_micro_usd: int
    charged_micro_usd: int
    unattributed_micro_usd: int
    wasted_micro_usd: int
    micro_usd_by_kind: Mapping[str, int]
    started_at: datetime


@dataclass(frozen=True, slots=True)
class CostTotal:
    """Charges that share a value of a dimension; `None` is what belongs to no take."""

    value: str | None
    takes: int
    accepted_takes: int
    gpu_microseconds: int
    micro_usd: int
    wasted_micro_usd: int


def run_costs(
    ledger: Ledger,
    whose: Asked,
    *,
    run_id: str | None = None,
    edition: EditionKey | None = None,
) -> tuple[RunCost, ...]:
    """Costs per run of a tenant, or of the house, oldest first.

    With `edition`, what its runs were paid and charged for it.
    """
    limits = ((WorkerRow.tenant, tenant_of(whose)), (WorkerRow.run_id, run_id))
    wanted = [column == value for column, value in limits if value is not None]
    if edition:
        wanted.append(WorkerRow.edition_id == edition_row_id(edition))
    by_kind: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    with ledger.read(whose) as session:
        for owner, run, kind, amount in session.execute(_BY_KIND.where(*wanted)):
            by_kind[owner, run][kind] = int(amount)
        runs = {_run(row): row for row in session.execute(_PER_RUN.where(*wanted)).mappings()}
        takes = {_run(row): row for row in session.execute(_TAKES.where(*wanted)).mappings()}
        charges = {_run(row): row for row in session.execute(_CHARGES.where(*wanted)).mappings()}
    return tuple(
        RunCost(
            tenant=run["tenant"],
            run_id=run["run_id"],
            started_at=from_micros(run["started_at"]),
            micro_usd_by_kind=by_kind[key],
            **_integers(run, "workers", "open_workers", "paid_micro_usd"),
            **_integers(takes.get(key, {}), "takes", "accepted_takes"),
            **_integers(
                charges.get(key, {}),
                "gpu_microseconds",
                "charged_micro_usd",
                "unattributed_micro_usd",
                "wasted_micro_usd",
            ),
        )
        for key, run in runs.items()
    )


def cost_totals(
    ledger: Ledger,
    by: Dimension,
    whose: Asked,
    *,
    campaign: str | None = None,
    since: datetime | None = None,
) -> tuple[CostTotal, ...]:
    """Charges summed by a dimension, dearest first; every charge is in exactly one row.

    Args:
        ledger: where the charges are.
        by: what the rows are told apart by; an edition's value is `campaign/edition`.
        whose: a tenant's charges, or the house's.
        campaign: only what this campaign's workers were paid.
        since: only what was charged at or after this moment.
    """
    amount = func.sum(ChargeRow.micro_usd)
    accepted = case((TakeRow.outcome == "accepted", TakeRow.id))
    query = (
        select(
            _DIMENSIONS[by].label("value"),
            func.count(TakeRow.id.distinct()).label("takes"),
            func.count(accepted.distinct()).label("accepted_takes"),
            func.sum(ChargeRow.gpu_microseconds).label("gpu_microseconds"),
            amount.label("micro_usd"),
            func.sum(WASTED).label("wasted_micro_usd"),
        )
        .select_from(ChargeRow)
        .join(WorkerRow, WorkerRow.id == ChargeRow.worker_id)
        .outerjoin(EditionRow, EditionRow.id == WorkerRow.edition_id)
        .outerjoin(TakeRow, TakeRow.id == ChargeRow.take_id)
        .outerjoin(ShotRow, ShotRow.id == TakeRow.shot_id)
        .group_by("value")
        .order_by(amount.desc(), "value")
    )
    limits = ((ChargeRow.tenant, tenant_of(whose)), (EditionRow.campaign, campaign))
    query = query.where(*(column == value for column, value in limits if value is not None))
    if since is not None:
        query = query.where(ChargeRow.created_at >= to_micros(since))
    names = ("takes", "accepted_takes", "gpu_microseconds", "micro_usd", "wasted_micro_usd")
    with ledger.read(whose) as session:
        found = session.execute(query).mappings().all()
    return tuple(CostTotal(row["value"], **_integers(row, *names)) for row in found)


_DIMENSIONS: Mapping[Dimension, ColumnElement[Any]] = {
    "tenant": ChargeRow.tenant.expression,
    "campaign": EditionRow.campaign.expression,
    "edition": EditionRow.campaign + "/" + EditionRow.edition,
    "user": func.coalesce(TakeRow.user, EditionRow.user),
    "release": func.coalesce(TakeRow.release, ShotRow.request["release"].as_string()),
    "tier": TakeRow.tier.expression,
    "engine": TakeRow.engine.expression,
    "gpu_class": WorkerRow.gpu_class.expression,
    "kind": ChargeRow.kind.expression,
}
_RUN = (WorkerRow.tenant, WorkerRow.run_id)

_PER_RUN = (
    select(
        *_RUN,
        func.min(WorkerRow.started_at).label("started_at"),
        func.count().label("workers"),
        func.sum(case((WorkerRow.ended_at.is_(None), 1), else_=0)).label("open_workers"),
        func.sum(WorkerRow.paid_micro_usd).label("paid_micro_usd"),
    )
    .group_by(*_RUN)
    .order_by("started_at", WorkerRow.run_id)
)
_TAKES = (
    select(
        *_RUN,
        func.count().label("takes"),
        func.sum(case((TakeRow.outcome == "accepted", 1), else_=0)).label("accepted_takes"),
    )
    .join(TakeRow, TakeRow.worker_id == WorkerRow.id)
    .group_by(*_RUN)
)
_CHARGES = (
    select(
        *_RUN,
        func.sum(ChargeRow.gpu_microseconds).label("gpu_microseconds"),
        func.sum(ChargeRow.micro_usd).label("charged_micro_usd"),
        func.sum(UNATTRIBUTED).label("unattributed_micro_usd"),
        func.sum(WASTED).label("wasted_micro_usd"),
    )
    .join(ChargeRow, ChargeRow.worker_id == WorkerRow.id)
    .outerjoin(TakeRow, TakeRow.id == ChargeRow.take_id)
    .group_by(*_RUN)
)
_BY_KIND = (
    select(*_RUN, ChargeRow.kind, func.sum(ChargeRow.micro_usd))
    .join(ChargeRow, ChargeRow.worker_id == WorkerRow.id)
    .group_by(*_RUN, ChargeRow.kind)
    .order_by(ChargeRow.kind)
)


def _run(row: RowMapping) -> tuple[str, str]:
    return row["tenant"], row["run_id"]


def _integers(row: Mapping[Any, Any], *names: str) -> dict[str, int]:
    """Sums as integers: PostgreSQL sums 64-bit integers to decimals; no rows sum to nothing."""
    return {name: int(row.get(name) or 0) for name in names}
