"""What was spent between two moments, on what, and what came of it, summed by the database.

Money counts on the day on which its worker began (a fleet's idle time on its own day), whenever it
was charged or corrected: sums of a past day change by corrections, and agree with `POSTINGS`.

The charges of a take are added up before anything else, so that what it was drawn with is looked
up once for each take instead of once for each of its half a dozen charges.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, case, exists, func, literal_column, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql.expression import Subquery

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey, edition_row_id
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.postings import POSTINGS, PostingAccount
from wan_pipelines.ledger.tables import (
    ChargeRow,
    DescentRow,
    EditionRow,
    EditionShotRow,
    IdleEntryRow,
    PriceRow,
    ShotRow,
    TakeRow,
    WorkerRow,
)
from wan_pipelines.ledger.whose import SHARED, Asked, tenant_of

Detail = Literal["group", "shot", "take", "render_key"]

KINDS = ("load", "text", "denoise", "decode", "wait", "idle", "lost")
"""What workers spend their time on; `lost` is what one that died did not report."""
GROUPED = (
    *("tenant", "campaign", "edition", "user", "release", "engine", "tier"),
    *("gpu_class", "market", "width", "height", "frames"),
)
SHAPE = ("width", "height", "frames")
COLUMNS: Mapping[Detail, tuple[str, ...]] = {
    "group": GROUPED,
    "shot": ("tenant", "campaign", "edition", "user", "tier", *SHAPE, "shot", "render_key"),
    "take": (*GROUPED, "shot", "render_key", "take", "outcome"),
    "render_key": ("tenant", "release", "tier", *SHAPE, "render_key"),
}
"""What the rows of each detail are told apart by; one of a `render_key` has all takes of a video,
whichever editions they were for."""
MEASURES = (
    *("takes", "videos", "repeats", "degraded_videos", "gpu_microseconds", "micro_usd"),
    *("rendered_micro_usd", "loaded_micro_usd", "waited_micro_usd", "wasted_micro_usd"),
    *("retried_micro_usd", "degraded_micro_usd"),
    *(f"{kind}_micro_usd" for kind in KINDS),
)
"""Counts and sums, all of them integers that may be added up further.

Four parts make up the money: of accepted takes what was `rendered`, and what their workers spent
on `loaded` engines and `waited` for; `wasted` is what went into takes that are not accepted, or
into none. So do the kinds. `repeats` are takes of shots that had one before, `retried` is what
those cost; `degraded` went into accepted takes whose pixels are not those that were asked for.
"""
CHUNK = 10_000

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class IdleSpending:
    """What reserved GPUs of a class cost that no worker held."""

    gpu_class: str
    gpu_microseconds: int
    micro_usd: int


def spending(
    ledger: Ledger, whose: Asked, since: datetime, until: datetime, *, detail: Detail = "group"
) -> Iterator[Rows]:
    """Rows of `COLUMNS[detail]` and `MEASURES`, some at a time, however many there are.

    Of workers that began at or after `since` and before `until`; of a tenant, or of the house.
    """
    began = WorkerRow.started_at
    query = _query(tenant_of(whose), detail, began >= to_micros(since), began < to_micros(until))
    with ledger.read(whose) as session:
        for some in session.execute(query, execution_options={"yield_per": CHUNK}).partitions():
            yield [_plain(row, len(COLUMNS[detail])) for row in some]


def edition_spending(ledger: Ledger, edition: EditionKey, *, detail: Detail = "take") -> Rows:
    """The same of one edition, whenever its workers began."""
    query = _query(edition.tenant, detail, WorkerRow.edition_id == edition_row_id(edition))
    with ledger.read(edition.tenant) as session:
        return [_plain(row, len(COLUMNS[detail])) for row in session.execute(query)]


def idle_spending(ledger: Ledger, since: datetime, until: datetime) -> tuple[IdleSpending, ...]:
    """Idle time of fleets on days that begin in that time; it belongs to no tenant."""
    sums = (func.sum(IdleEntryRow.gpu_microseconds), func.sum(IdleEntryRow.micro_usd))
    began = IdleEntryRow.starts_at
    query = (
        select(IdleEntryRow.gpu_class, *sums)
        .where(began >= to_micros(since), began < to_micros(until))
        .group_by(IdleEntryRow.gpu_class)
        .order_by(IdleEntryRow.gpu_class)
    )
    with ledger.read(SHARED) as session:
        found = session.execute(query).all()
    return tuple(IdleSpending(name, int(time), int(money)) for name, time, money in found)


def paid_between(
    ledger: Ledger, whose: Asked, since: datetime, until: datetime
) -> tuple[datetime, datetime] | None:
    """The first and the last moment of that time at which work, or an idle day, began; if any."""
    tenant = tenant_of(whose)
    begun = [(WorkerRow.started_at, [WorkerRow.tenant == tenant] if tenant else [])]
    if tenant is None:
        begun.append((IdleEntryRow.starts_at, []))
    found: list[int] = []
    with ledger.read(whose) as session:
        for began, wanted in begun:
            query = select(func.min(began), func.max(began)).where(
                began >= to_micros(since), began < to_micros(until), *wanted
            )
            found += [moment for moment in session.execute(query).one() if moment is not None]
    return (from_micros(min(found)), from_micros(max(found))) if found else None


def posted(
    ledger: Ledger, whose: Asked, since: datetime, until: datetime
) -> Counter[PostingAccount]:
    """Micro-dollars of all postings of work that began in that time: what a report must come to."""
    tenant = tenant_of(whose)
    began, account = POSTINGS.c.starts_at, POSTINGS.c.account
    query = (
        select(account, func.sum(POSTINGS.c.micro_usd))
        .where(began >= to_micros(since), began < to_micros(until))
        .group_by(account)
    )
    if tenant:
        query = query.where(POSTINGS.c.tenant == tenant)
    with ledger.read(whose) as session:
        return Counter({name: int(money) for name, money in session.execute(query)})


def _plain(row: Any, dimensions: int) -> tuple[Any, ...]:
    """Sums as integers: PostgreSQL sums 64-bit integers to decimals."""
    return (*row[:dimensions], *map(int, row[dimensions:]))


def _query(tenant: str | None, detail: Detail, *workers: ColumnElement[bool]) -> Select[Any]:
    """Of workers that meet all conditions."""
    if tenant:
        workers = (*workers, WorkerRow.tenant == tenant)
    spent = _spent(workers)
    columns = [_columns(spent)[name].label(name) for name in COLUMNS[detail]]
    # By place: tables have columns of the same names.
    places = [literal_column(str(place)) for place, _ in enumerate(columns, start=1)]
    query = select(*columns, *(func.sum(each) for each in _measures(spent)))
    query = (
        query.select_from(spent)
        .join(WorkerRow, WorkerRow.id == spent.c.worker_id)
        .join(PriceRow, PriceRow.id == WorkerRow.price_id)
        .outerjoin(EditionRow, EditionRow.id == WorkerRow.edition_id)
        .outerjoin(TakeRow, (TakeRow.id == spent.c.take_id) & (TakeRow.tenant == WorkerRow.tenant))
        .outerjoin(ShotRow, ShotRow.id == TakeRow.shot_id)
        .outerjoin(DescentRow, DescentRow.take_id == TakeRow.id)
        .group_by(*places)
        .order_by(*places)
    )
    return query.where(WorkerRow.tenant == tenant) if tenant else query


def _spent(workers: Sequence[ColumnElement[bool]]) -> Subquery:
    """What each take was charged, and each worker for no take, by what it was spent on."""
    return (
        select(
            ChargeRow.worker_id,
            ChargeRow.take_id,
            func.sum(ChargeRow.gpu_microseconds).label("gpu_microseconds"),
            func.sum(ChargeRow.micro_usd).label("micro_usd"),
            *(_of_kind(kind).label(kind) for kind in KINDS),
        )
        .join(WorkerRow, WorkerRow.id == ChargeRow.worker_id)
        .where(*workers)
        .group_by(ChargeRow.worker_id, ChargeRow.take_id)
        .subquery("spent")
    )


def _of_kind(kind: str) -> ColumnElement[int]:
    return func.sum(case((ChargeRow.kind == kind, ChargeRow.micro_usd), else_=0))


def _columns(spent: Subquery) -> Mapping[str, ColumnElement[Any]]:
    request = ShotRow.request
    return {
        "tenant": WorkerRow.tenant.expression,
        "campaign": EditionRow.campaign.expression,
        "edition": EditionRow.edition.expression,
        "user": func.coalesce(TakeRow.user, EditionRow.user),
        "release": func.coalesce(TakeRow.release, request["release"].as_string()),
        "engine": TakeRow.engine.expression,
        "tier": TakeRow.tier.expression,
        "gpu_class": WorkerRow.gpu_class.expression,
        "market": PriceRow.market.expression,
        **{name: request[name].as_integer() for name in SHAPE},
        "shot": _shot_name,
        "render_key": ShotRow.render_key.expression,
        "take": spent.c.take_id,
        "outcome": TakeRow.outcome.expression,
    }


_Earlier = aliased(TakeRow)
_is_accepted = TakeRow.outcome == "accepted"
_is_repeat = exists().where(
    _Earlier.shot_id == TakeRow.shot_id, _Earlier.started_at < TakeRow.started_at
)
_is_degraded = _is_accepted & (DescentRow.drawn_key != ShotRow.render_key)
_shot_name = (
    select(func.min(EditionShotRow.name))
    .where(
        EditionShotRow.edition_id == TakeRow.edition_id, EditionShotRow.shot_id == TakeRow.shot_id
    )
    .correlate(TakeRow)
    .scalar_subquery()
)


def _measures(spent: Subquery) -> tuple[ColumnElement[int], ...]:
    """In the order of `MEASURES`."""
    money, waited = spent.c.micro_usd, spent.c.wait + spent.c.idle
    return (
        _count(TakeRow.id.is_not(None)),
        _count(_is_accepted),
        _count(_is_repeat),
        _count(_is_degraded),
        spent.c.gpu_microseconds,
        money,
        case((_is_accepted, money - spent.c.load - waited), else_=0),
        case((_is_accepted, spent.c.load), else_=0),
        case((_is_accepted, waited), else_=0),
        case((_is_accepted, 0), else_=money),
        case((_is_repeat, money), else_=0),
        case((_is_degraded, money), else_=0),
        *(spent.c[kind] for kind in KINDS),
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)
