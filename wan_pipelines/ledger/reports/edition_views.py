"""One edition in full: every shot it ever asked for, what became of it, what it cost."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from wan_pipelines.encoding.renditions import RenditionFile, files_at
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.keys import EditionKey, edition_id_of
from wan_pipelines.ledger.moments import from_micros_or_none
from wan_pipelines.ledger.records import StageMicroseconds
from wan_pipelines.ledger.reports.video_rows import SHOWN, rendition_of
from wan_pipelines.ledger.statements import chunks, table
from wan_pipelines.ledger.tables import (
    ChargeRow,
    DescentRow,
    EditionShotRow,
    RenditionRow,
    ShotRow,
    TakeRow,
    WorkerRow,
)

_T = TypeVar("_T")
_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class ShotView:
    """A shot of an edition: what admission said, how its latest take went, its files and cost.

    `outcome` is that of the accepted take, wherever it was rendered, else of this edition's latest
    take; `None` when there is none. `attempts` and the cost are this edition's own, failed takes
    included; `failures` counts the shot's failed takes since the last accepted one, anywhere; the
    error is that of the latest take if it failed. `files` are all of the accepted take.
    """

    position: int
    shot: str
    render_key: str
    request: Mapping[str, Any]
    tier: str
    fps: int
    variables: Mapping[str, str]
    renditions_wanted: tuple[str, ...]
    state: str
    reason: str
    may_run_at: datetime | None
    outcome: str | None
    reused: bool
    take_id: str | None
    run_id: str | None
    stages: StageMicroseconds | None
    attempts: int
    failures: int
    last_failed_at: datetime | None
    error_type: str | None
    error_message: str | None
    error_stage: str | None
    files: tuple[RenditionFile, ...]
    gpu_microseconds: int
    cost_micro_usd: int
    rungs: tuple[str, ...]
    degraded: bool

    @property
    def renditions(self) -> tuple[RenditionFile, ...]:
        """The files of the shot: two that share their frames may show them at different rates."""
        return files_at(self.fps, self.files)


def edition_shots_view(ledger: Ledger, edition: EditionKey) -> tuple[ShotView, ...]:
    """Every shot of an edition in order, withdrawn ones included."""
    with ledger.read(edition.tenant) as session:
        edition_id = edition_id_of(session, edition)
        rows = session.execute(_WISHES, {"edition": edition_id}).all()
        book = _book(session, edition.tenant, edition_id)
    payers = _payers(rows)
    return tuple(_view(row, book, is_payer=payers[row.shot_id] is row) for row in rows)


def take_charges(ledger: Ledger, edition: EditionKey) -> dict[str, int]:
    """By take, the micro-dollars that takes made for an edition are charged, as far as they are."""
    with ledger.read(edition.tenant) as session:
        values = {"edition": edition_id_of(session, edition)}
        return {take_id: int(money) for take_id, _, money in session.execute(_COSTS, values)}


@dataclass(frozen=True, slots=True)
class _Book:
    """All that happened to the shots of one edition, by shot or by take."""

    accepted: Mapping[int, Row[Any]]
    takes: Mapping[int, Sequence[Row[Any]]]  # of this edition, oldest first
    runs: Mapping[str, str]
    files: Mapping[str, Sequence[Row[Any]]]
    costs: Mapping[str, tuple[int, int]]


def _book(session: Session, tenant: str, edition_id: int) -> _Book:
    values = {"edition": edition_id}
    accepted = session.execute(_ACCEPTED, values).all()
    own = session.execute(_OWN, values).all()
    files = session.execute(_FILES, values).all()
    costs = session.execute(_COSTS, values).all()
    return _Book(
        accepted={take.shot_id: take for take in accepted},
        takes=_grouped(own, lambda take: take.shot_id),
        runs=_runs(session, tenant, {take.worker_id for take in (*own, *accepted)}),
        files=_grouped(files, lambda file: file.take_id),
        costs={take_id: (int(time), int(money)) for take_id, time, money in costs},
    )


def _runs(session: Session, tenant: str, worker_ids: set[str]) -> dict[str, str]:
    query = select(WorkerRow.id, WorkerRow.run_id).where(WorkerRow.tenant == tenant)
    found: dict[str, str] = {}
    for some in chunks(sorted(worker_ids)):
        found.update(session.execute(query.where(WorkerRow.id.in_(some))).tuples().all())
    return found


def _payers(rows: Sequence[Row[Any]]) -> dict[int, Row[Any]]:
    """By shot, the row its takes are shown with: several names may have stood for one shot."""
    order = {"admitted": 0, "reused": 1}
    payers: dict[int, Row[Any]] = {}
    for row in sorted(rows, key=lambda row: order.get(row.state, 2)):
        payers.setdefault(row.shot_id, row)
    return payers


def _view(row: Row[Any], book: _Book, *, is_payer: bool) -> ShotView:
    own = book.takes.get(row.shot_id, ()) if is_payer else ()
    accepted = book.accepted.get(row.shot_id) if row.state in SHOWN else None
    latest = accepted or (own[-1] if own else None)
    failed = latest if latest and latest.outcome == "failed" else None
    costs = [book.costs.get(take.id, (0, 0)) for take in own]
    files = book.files.get(accepted.id, ()) if accepted else ()
    return ShotView(
        position=row.position,
        shot=row.name,
        render_key=row.render_key,
        request=row.request,
        tier=row.tier,
        fps=row.fps,
        variables=row.variables,
        renditions_wanted=tuple(row.renditions),
        state=row.state,
        reason=row.reason,
        may_run_at=from_micros_or_none(row.may_run_at),
        outcome=latest.outcome if latest else None,
        reused=accepted is not None and not any(take.id == accepted.id for take in own),
        take_id=latest.id if latest else None,
        run_id=book.runs[latest.worker_id] if latest else None,
        stages=_stages(latest),
        attempts=len(own),
        failures=row.failures,
        last_failed_at=from_micros_or_none(row.last_failed_at),
        error_type=failed.error_type if failed else None,
        error_message=failed.error_message if failed else None,
        error_stage=failed.error_stage if failed else None,
        files=tuple(rendition_of(file) for file in files),
        gpu_microseconds=sum(time for time, _ in costs),
        cost_micro_usd=sum(money for _, money in costs),
        rungs=tuple(latest.rungs) if latest and latest.rungs else (),
        degraded=latest is not None and latest.drawn_key not in (None, row.render_key),
    )


def _stages(take: Row[Any] | None) -> StageMicroseconds | None:
    if take is None or take.text_microseconds is None:
        return None
    return StageMicroseconds(
        text=take.text_microseconds,
        denoise_high=take.denoise_high_microseconds or 0,
        denoise_low=take.denoise_low_microseconds or 0,
        decode=take.decode_microseconds or 0,
    )


def _grouped(rows: Sequence[_T], key: Callable[[_T], _K]) -> dict[_K, list[_T]]:
    groups: dict[_K, list[_T]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


# Of tables: it takes longer to track objects than to read their rows.
_ROWS, _SHOTS, _TAKES = table(EditionShotRow), table(ShotRow), table(TakeRow)
_RENDITIONS, _CHARGES, _DESCENTS = table(RenditionRow), table(ChargeRow), table(DescentRow)
_OF_EDITION = _ROWS.c.edition_id == bindparam("edition")
_SHOWN_HERE = (_TAKES.c.outcome == "accepted") & _TAKES.c.shot_id.in_(
    select(_ROWS.c.shot_id).where(_OF_EDITION)
)
_MADE_HERE = _TAKES.c.edition_id == bindparam("edition")
_WISHES = (
    select(_ROWS, _SHOTS.c.render_key, _SHOTS.c.request, _SHOTS.c.failures, _SHOTS.c.last_failed_at)
    .join(_SHOTS, _SHOTS.c.id == _ROWS.c.shot_id)
    .where(_OF_EDITION)
    .order_by(_ROWS.c.position, _ROWS.c.id)
)
_DRAWN = select(_TAKES, _DESCENTS.c.rungs, _DESCENTS.c.drawn_key).outerjoin(
    _DESCENTS, _DESCENTS.c.take_id == _TAKES.c.id
)
_ACCEPTED = _DRAWN.where(_SHOWN_HERE)
_OWN = _DRAWN.where(_MADE_HERE).order_by(_TAKES.c.started_at, _TAKES.c.created_at, _TAKES.c.id)
_FILES = (
    select(_RENDITIONS)
    .join(_TAKES, _TAKES.c.id == _RENDITIONS.c.take_id)
    .where(_SHOWN_HERE)
    .order_by(_RENDITIONS.c.position)
)
_COSTS = (
    select(
        _CHARGES.c.take_id, func.sum(_CHARGES.c.gpu_microseconds), func.sum(_CHARGES.c.micro_usd)
    )
    .join(_TAKES, _TAKES.c.id == _CHARGES.c.take_id)
    .where(_MADE_HERE)
    .group_by(_CHARGES.c.take_id)
)
