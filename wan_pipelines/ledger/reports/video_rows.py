"""Videos: the accepted takes behind the shots of editions, and their files."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from wan_pipelines.encoding.renditions import PICTURES, POSTER, PREVIEW, Codec, RenditionFile
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.descents import descent_of
from wan_pipelines.ledger.moments import from_micros
from wan_pipelines.ledger.statements import chunks
from wan_pipelines.ledger.tables import (
    ChargeRow,
    DescentRow,
    EditionRow,
    EditionShotRow,
    RenditionRow,
    ShotRow,
    TakeRow,
    WorkerRow,
)
from wan_pipelines.ledger.whose import Asked, House, tenant_of

SHOWN = ("admitted", "reused", "duplicate")


@dataclass(frozen=True, slots=True)
class Video:
    """A shot of an edition that has an accepted take, with its main file at the shot's frame rate.

    An edition that reuses a take, or asks twice for the same shot, pays nothing for it:
    `gpu_microseconds` and `cost_micro_usd` are 0 where `reused` is true. Both grow when the
    worker is settled.

    `release` and `drawn_tier` are what it was drawn with, on the `rungs` of the release's ladder;
    it is `degraded` where its pixels are not those of `requested_release` and `tier`.
    """

    tenant: str
    user: str
    campaign: str
    edition: str
    shot: str
    state: str
    reused: bool
    prompt: str
    seed: int
    release: str
    tier: str
    uri: str
    sha256: str
    width: int
    height: int
    frames: int
    fps: float
    duration_seconds: float
    poster_uri: str | None
    preview_uri: str | None
    gpu_microseconds: int
    cost_micro_usd: int
    take_id: str
    render_key: str
    run_id: str
    created_at: datetime
    requested_release: str
    rungs: tuple[str, ...]
    drawn_tier: str
    degraded: bool


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A published file of an accepted take, with what tells whether it is still the same."""

    tenant: str
    render_key: str
    take_id: str
    name: str
    key: str
    uri: str
    sha256: str
    size_bytes: int
    signature: str


def videos(
    ledger: Ledger, whose: Asked, campaign: str | None = None, edition: str | None = None
) -> tuple[Video, ...]:
    """The videos of a tenant, or of the house, oldest edition first."""
    query = _scoped(_VIDEOS, whose, campaign, edition).order_by(
        EditionRow.created_at, EditionRow.id, EditionShotRow.position, EditionShotRow.id
    )
    with ledger.read(whose) as session:
        return tuple(_video(found) for found in session.execute(query))


def output_files(
    ledger: Ledger, whose: Asked, campaign: str | None = None, edition: str | None = None
) -> tuple[OutputFile, ...]:
    """All files that videos of a tenant, or of the house, consist of, each once."""
    of_videos = _scoped(_TAKES_OF_VIDEOS, whose, campaign, edition)
    with ledger.read(whose) as session:
        return _output_files(session, TakeRow.id.in_(of_videos))


def files_of_shots(
    ledger: Ledger, tenant: str, render_keys: Collection[str]
) -> tuple[OutputFile, ...]:
    """All files of the accepted takes that a tenant's shots have, whichever edition made them."""
    of_tenant = (TakeRow.tenant == tenant) & (TakeRow.outcome == "accepted")
    with ledger.read(tenant) as session:
        return tuple(
            file
            for some in chunks(sorted(render_keys))
            for file in _output_files(session, of_tenant & ShotRow.render_key.in_(some))
        )


def newest_files(ledger: Ledger, count: int) -> tuple[str, ...]:
    """Keys of files of all tenants' accepted takes, latest first; at most `count`."""
    query = (
        select(RenditionRow.key)
        .join(TakeRow, TakeRow.id == RenditionRow.take_id)
        .where(TakeRow.outcome == "accepted")
        .order_by(RenditionRow.id.desc())
        .limit(count)
    )
    with ledger.read(House("upkeep")) as session:
        return tuple(session.scalars(query))


_Main, _Poster, _Preview = (aliased(RenditionRow) for _ in range(3))
_File = aliased(RenditionRow)

_first_file = (
    select(_File.id)
    .where(_File.take_id == TakeRow.id, _File.name.not_in(PICTURES))
    .order_by(_File.position)
    .limit(1)
    .correlate(TakeRow, EditionShotRow)
)
_at_its_rate = _first_file.where(_File.fps == EditionShotRow.fps)
# Two queries: SQLite cannot order by the outer one's columns. Until a rate is derived, the first
# file stands in.
_main_file = func.coalesce(_at_its_rate.scalar_subquery(), _first_file.scalar_subquery())


def _sum_of(column: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    charges = select(func.coalesce(func.sum(column), 0)).where(ChargeRow.take_id == TakeRow.id)
    return charges.correlate(TakeRow).scalar_subquery()


_VIDEOS = (
    select(
        EditionRow,
        EditionShotRow,
        ShotRow,
        TakeRow,
        WorkerRow.run_id,
        _Main,
        _Poster.uri,
        _Preview.uri,
        _sum_of(ChargeRow.gpu_microseconds),
        _sum_of(ChargeRow.micro_usd),
        DescentRow,
    )
    .select_from(EditionShotRow)
    .join(EditionRow, EditionRow.id == EditionShotRow.edition_id)
    .join(ShotRow, ShotRow.id == EditionShotRow.shot_id)
    .join(TakeRow, (TakeRow.shot_id == ShotRow.id) & (TakeRow.outcome == "accepted"))
    .join(WorkerRow, WorkerRow.id == TakeRow.worker_id)
    .join(_Main, (_Main.take_id == TakeRow.id) & (_Main.id == _main_file))
    .outerjoin(DescentRow, DescentRow.take_id == TakeRow.id)
    .outerjoin(_Poster, (_Poster.take_id == TakeRow.id) & (_Poster.name == POSTER))
    .outerjoin(_Preview, (_Preview.take_id == TakeRow.id) & (_Preview.name == PREVIEW))
    .where(EditionShotRow.state.in_(SHOWN))
)
_TAKES_OF_VIDEOS = (
    select(TakeRow.id)
    .select_from(EditionShotRow)
    .join(EditionRow, EditionRow.id == EditionShotRow.edition_id)
    .join(
        TakeRow,
        (TakeRow.shot_id == EditionShotRow.shot_id) & (TakeRow.outcome == "accepted"),
    )
    .where(EditionShotRow.state.in_(SHOWN))
)


def _output_files(session: Session, condition: ColumnElement[bool]) -> tuple[OutputFile, ...]:
    query = _OUTPUT_FILES.where(condition)
    return tuple(OutputFile(*found) for found in session.execute(query))


_OUTPUT_FILES = (
    select(
        TakeRow.tenant,
        ShotRow.render_key,
        RenditionRow.take_id,
        RenditionRow.name,
        RenditionRow.key,
        RenditionRow.uri,
        RenditionRow.sha256,
        RenditionRow.size_bytes,
        RenditionRow.signature,
    )
    .join(ShotRow, ShotRow.id == TakeRow.shot_id)
    .join(RenditionRow, RenditionRow.take_id == TakeRow.id)
    .order_by(TakeRow.id, RenditionRow.position)
)


def rendition_of(row: RenditionRow | Row[Any]) -> RenditionFile:
    """The record of a published file."""
    return RenditionFile(
        name=row.name,
        key=row.key,
        uri=row.uri,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        codec=cast("Codec", row.codec),
        width=row.width,
        height=row.height,
        fps=row.fps,
        frames=row.frames,
        duration_seconds=row.duration_microseconds / 1e6,
        signature=row.signature,
    )


def _scoped(
    query: Select[Any], whose: Asked, campaign: str | None, edition: str | None
) -> Select[Any]:
    limits = (
        (EditionRow.tenant, tenant_of(whose)),
        (EditionRow.campaign, campaign),
        (EditionRow.edition, edition),
    )
    return query.where(*(column == wanted for column, wanted in limits if wanted is not None))


def _video(found: Row[Any]) -> Video:
    edition, row, shot, take, run_id, file, poster_uri, preview_uri, time, cost, drawn = found
    descent = descent_of(drawn)
    reused = take.edition_id != edition.id or row.state == "duplicate"
    return Video(
        tenant=edition.tenant,
        user=edition.user,
        campaign=edition.campaign,
        edition=edition.edition,
        shot=row.name,
        state=row.state,
        reused=reused,
        prompt=shot.request["prompt"],
        seed=shot.request["seed"],
        release=take.release or shot.request["release"],
        tier=row.tier,
        uri=file.uri,
        sha256=file.sha256,
        width=file.width,
        height=file.height,
        frames=file.frames,
        fps=file.fps,
        duration_seconds=file.duration_microseconds / 1e6,
        poster_uri=poster_uri,
        preview_uri=preview_uri,
        gpu_microseconds=0 if reused else int(time),
        cost_micro_usd=0 if reused else int(cost),
        take_id=take.id,
        render_key=shot.render_key,
        run_id=run_id,
        created_at=from_micros(take.ended_at or take.started_at),
        requested_release=shot.request["release"],
        rungs=descent.rungs if descent else (),
        drawn_tier=(descent.tier if descent else "") or row.tier,
        degraded=descent is not None and descent.changes_pixels(shot.render_key),
    )
