"""From a video back to what it was made of, by whom and for how much; and forward to its users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Row, func, select, true, union
from sqlalchemy.orm import Session

from wan_pipelines.encoding.renditions import RenditionFile
from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.descents import Descent, descent_of
from wan_pipelines.ledger.moments import from_micros, from_micros_or_none
from wan_pipelines.ledger.reports.video_rows import rendition_of
from wan_pipelines.ledger.tables import (
    ChargeRow,
    DescentRow,
    EditionRow,
    EditionShotRow,
    ForgettingRow,
    PriceRow,
    RenditionRow,
    ShotRow,
    TakeRow,
    WorkerRow,
)
from wan_pipelines.ledger.whose import Asked, tenant_of

SHORTEST_KEY = 8


@dataclass(frozen=True, slots=True)
class WorkerOrigin:
    """The process a take was rendered in, and the price its time was charged at."""

    worker_id: str
    run_id: str
    step_key: str
    host: str
    gpu_class: str
    gpu_count: int
    market: str
    micro_usd_per_gpu_hour: int


@dataclass(frozen=True, slots=True)
class TakeHistory:
    """An attempt at the shot, with its charges by kind so far.

    `descent` says what it was drawn as where that was not what the shot asks for.
    """

    take_id: str
    outcome: str
    forgotten_because: str | None
    campaign: str
    edition: str
    user: str
    tier: str
    release: str | None
    engine: str | None
    fingerprint: str | None
    seed: int | None
    steps: int | None
    error_message: str | None
    started_at: datetime
    ended_at: datetime | None
    worker: WorkerOrigin
    gpu_microseconds: int
    micro_usd_by_kind: Mapping[str, int]
    renditions: tuple[RenditionFile, ...]
    descent: Descent | None


@dataclass(frozen=True, slots=True)
class Use:
    """An edition that shows the shot, and under which name."""

    campaign: str
    edition: str
    shot: str
    state: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lineage:
    """All there is to know about a video's shot: request, attempts (oldest first), and uses.

    `take_id` is the take that was asked for: the file's own, else the accepted, else the latest.
    """

    tenant: str
    render_key: str
    take_id: str
    request: Mapping[str, Any]
    takes: tuple[TakeHistory, ...]
    uses: tuple[Use, ...]


def trace(ledger: Ledger, tenant: str, video: str) -> Lineage:
    """The lineage of a video.

    `video` is the address or SHA-256 of one of its files, a take's id, or a render key (at least
    its first 8 characters). Raises `LedgerError` when it names no shot, or several.
    """
    with ledger.read(tenant) as session:
        shot, take_id = _find(session, tenant, video)
        takes = _takes(session, shot.id)
        if not takes:
            raise LedgerError(f"Shot {shot.render_key[:12]} has never been rendered.")
        return Lineage(
            tenant=tenant,
            render_key=shot.render_key,
            take_id=take_id or _best(takes),
            request=shot.request,
            takes=takes,
            uses=_uses(session, shot.id),
        )


def owners(ledger: Ledger, whose: Asked, video: str) -> tuple[str, ...]:
    """Who of those has something named `video`, as `trace` reads it."""
    tenant = tenant_of(whose)
    of = true() if tenant is None else TakeRow.tenant == tenant
    takes = select(TakeRow.tenant).where(TakeRow.id.in_(_takes_named(video, of)), of)
    shots = select(ShotRow.tenant).where(_key_begins_with(video))
    if tenant is not None:
        shots = shots.where(ShotRow.tenant == tenant)
    found = takes if len(video) < SHORTEST_KEY else takes.union(shots)
    with ledger.read(whose) as session:
        return tuple(sorted(set(session.scalars(found))))


def _takes_named(video: str, of: ColumnElement[bool]) -> CompoundSelect[tuple[str]]:
    """The takes of which `video` is the id, or the address or digest of a file; among those."""
    by_file = (RenditionRow.uri == video) | (RenditionRow.sha256 == video)
    files = select(RenditionRow.take_id).join(TakeRow, TakeRow.id == RenditionRow.take_id)
    return union(
        select(TakeRow.id).where(TakeRow.id == video, of),
        files.where(by_file, of),
    )


def _key_begins_with(video: str) -> ColumnElement[bool]:
    after = video + "g"  # keys are hexadecimal: this comes after all that begin with `video`
    return (ShotRow.render_key >= video) & (ShotRow.render_key < after)


def _find(session: Session, tenant: str, video: str) -> tuple[ShotRow, str | None]:
    """The shot that `video` names, and the take if it names one."""
    of_tenant = TakeRow.tenant == tenant
    take = session.scalars(
        select(TakeRow)
        .where(of_tenant, TakeRow.id.in_(_takes_named(video, of_tenant)))
        .order_by(TakeRow.started_at.desc())
        .limit(1)
    ).one_or_none()
    if take:
        return session.get_one(ShotRow, take.shot_id), take.id
    query = select(ShotRow).where(ShotRow.tenant == tenant, _key_begins_with(video)).limit(2)
    shots = session.scalars(query).all() if len(video) >= SHORTEST_KEY else []
    if len(shots) == 1:
        return shots[0], None
    what = "names several shots" if shots else "is no video"
    raise LedgerError(
        f"{video!r} {what} of tenant {tenant}. Give the address or SHA-256 of a file, a take's id, "
        f"or at least {SHORTEST_KEY} characters of a render key; `wan videos --json` lists them."
    )


def _best(takes: Sequence[TakeHistory]) -> str:
    accepted = [take.take_id for take in takes if take.outcome == "accepted"]
    return accepted[0] if accepted else takes[-1].take_id


def _takes(session: Session, shot_id: int) -> tuple[TakeHistory, ...]:
    found = session.execute(
        select(TakeRow, EditionRow, WorkerRow, PriceRow, ForgettingRow.reason, DescentRow)
        .join(EditionRow, EditionRow.id == TakeRow.edition_id)
        .join(WorkerRow, WorkerRow.id == TakeRow.worker_id)
        .join(PriceRow, PriceRow.id == WorkerRow.price_id)
        .outerjoin(DescentRow, DescentRow.take_id == TakeRow.id)
        .outerjoin(ForgettingRow, ForgettingRow.take_id == TakeRow.id)
        .where(TakeRow.shot_id == shot_id)
        .order_by(TakeRow.started_at, TakeRow.created_at, TakeRow.id)
    )
    return tuple(_history(session, row) for row in found)


def _history(session: Session, found: Row[Any]) -> TakeHistory:
    take, edition, worker, price, forgotten_because, drawn = found
    charges = session.execute(
        select(ChargeRow.kind, func.sum(ChargeRow.micro_usd), func.sum(ChargeRow.gpu_microseconds))
        .where(ChargeRow.take_id == take.id, ChargeRow.tenant == take.tenant)
        .group_by(ChargeRow.kind)
        .order_by(ChargeRow.kind)
    ).all()
    files = session.scalars(
        select(RenditionRow)
        .join(TakeRow, TakeRow.id == RenditionRow.take_id)
        .where(TakeRow.id == take.id, TakeRow.tenant == take.tenant)
        .order_by(RenditionRow.position)
    )
    return TakeHistory(
        take_id=take.id,
        outcome=take.outcome,
        forgotten_because=forgotten_because,
        campaign=edition.campaign,
        edition=edition.edition,
        user=take.user,
        tier=take.tier,
        release=take.release,
        engine=take.engine,
        fingerprint=take.fingerprint,
        seed=take.seed,
        steps=take.steps,
        error_message=take.error_message,
        started_at=from_micros(take.started_at),
        ended_at=from_micros_or_none(take.ended_at),
        worker=WorkerOrigin(
            worker_id=worker.id,
            run_id=worker.run_id,
            step_key=worker.step_key,
            host=worker.host,
            gpu_class=worker.gpu_class,
            gpu_count=worker.gpu_count,
            market=price.market,
            micro_usd_per_gpu_hour=price.micro_usd_per_gpu_hour,
        ),
        gpu_microseconds=sum(int(time) for _, _, time in charges),
        micro_usd_by_kind={kind: int(money) for kind, money, _ in charges},
        renditions=tuple(rendition_of(file) for file in files),
        descent=descent_of(drawn),
    )


def _uses(session: Session, shot_id: int) -> tuple[Use, ...]:
    found = session.execute(
        select(EditionShotRow, EditionRow.campaign, EditionRow.edition)
        .join(EditionRow, EditionRow.id == EditionShotRow.edition_id)
        .where(EditionShotRow.shot_id == shot_id)
        .order_by(EditionRow.created_at, EditionRow.id, EditionShotRow.position)
    )
    return tuple(
        Use(campaign, edition, row.name, row.state, row.variables)
        for row, campaign, edition in found
    )
