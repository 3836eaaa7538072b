"""The turnstile: shards take their turns at the GPUs, in the order of a policy.

A line that all runs of a deployment share, and one short transaction that asks "may I begin?". Who
asks is one process a run; it renews what it holds, and what is not renewed for `EXPIRY` has ended.
A place in line counts while it was renewed within `FRESH`: a run that died keeps nobody waiting.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from wan_pipelines.errors import InputError
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.engines import POSTGRESQL
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import micros_in, to_micros
from wan_pipelines.ledger.outages import repeated
from wan_pipelines.ledger.statements import insert_missing
from wan_pipelines.ledger.tables import ServedRow, TurnRow
from wan_pipelines.ledger.turn_records import Answer, Asker, Rules, Turn, TurnInLine
from wan_pipelines.ledger.turn_rows import again, id_of, running, shown, waiting_of
from wan_pipelines.ledger.whose import Asked, House, tenant_of
from wan_pipelines.processes import is_gone
from wan_pipelines.scheduling.markets import Markets
from wan_pipelines.scheduling.policy import beginnings
from wan_pipelines.scheduling.records import Lane, Scene, Slots, Usage, Waiting

ALL = House("scheduling")
EXPIRY = timedelta(seconds=180)
"""Longer than a run's pod takes to be replaced: a shard that renders on keeps its slot."""
FRESH = timedelta(seconds=30)
ADVISORY_LOCK = 0x57414E54  # "WANT"


@repeated
def line_up(
    ledger: Ledger, edition: EditionKey, run_id: str, turns: Sequence[Turn], *, now: datetime
) -> None:
    """Note the shards that a run was cut into; what it was cut into before and never asked, goes.

    They are in line from the moment somebody asks for them.
    """
    moment = to_micros(now)
    rows = [
        {
            "tenant": edition.tenant,
            "campaign": edition.campaign,
            "edition": edition.edition,
            "run_id": run_id,
            "shard": turn.shard,
            "gpu_microseconds": micros_in(turn.gpu_seconds),
            "gpu_classes": list(turn.gpu_classes),
            "priority": turn.priority,
            "can_wait": turn.can_wait,
            "due_at": turn.due_at and to_micros(turn.due_at),
            "created_at": moment,
        }
        for turn in turns
    ]
    with ledger.write(edition.tenant) as session:
        own = (TurnRow.tenant == edition.tenant) & (TurnRow.run_id == run_id)
        session.execute(delete(TurnRow).where(own, TurnRow.asked_at.is_(None)))
        insert_missing(session, TurnRow, rows)


@repeated
def take_turns(
    ledger: Ledger, asker: Asker, shards: Collection[str], rules: Rules, *, now: datetime
) -> Answer:
    """Ask for shards of a run: those whose turn it is have begun when this returns.

    Everybody's places are weighed; only the asker's begin. What died or fell silent is ended first.
    InputError when a shard was cut for GPU classes that are there no more.
    """
    with ledger.write(ALL) as session:
        _one_at_a_time(session)
        half_life = rules.policy.settings.half_life_seconds
        _end_lost(session, rules.slots, half_life, now)
        own = _enter(session, asker, shards, now)
        wanted = {id_of(row): row for row in own.values() if row.began_at is None}
        _check_places(wanted.values(), rules.slots)
        in_line = _in_line(session)
        if wanted:
            for beginning in beginnings(rules.policy, _scene(session, in_line, rules, now)):
                if row := wanted.get(beginning.id):
                    row.began_at, row.gpu_class = to_micros(now), beginning.gpu_class
        began = {shard: row.gpu_class for shard, row in own.items() if row.gpu_class}
        return Answer(
            began=began,
            waiting=frozenset(own) - frozenset(began),
            unknown=frozenset(shards) - frozenset(own),
            in_line=sum(row.began_at is None for row in in_line),
        )


@repeated
def renew_turns(ledger: Ledger, asker: Asker, *, now: datetime) -> None:
    """Keep a run's places, and the slots that its shards hold.

    The run may ask at the same time: rows are locked in the order in which questions lock them.
    """
    own = (
        select(TurnRow.id)
        .where(TurnRow.run_id == asker.runs[0], *_IS_IN_LINE)
        .order_by(TurnRow.id)
        .with_for_update()
    )
    values = {"renewed_at": to_micros(now), "process": asker.process}
    renewed = update(TurnRow).where(TurnRow.id.in_(own)).values(values)
    with ledger.write(ALL) as session:
        session.execute(renewed, execution_options={"synchronize_session": False})


@repeated
def end_turns(
    ledger: Ledger,
    run_id: str,
    rules: Rules,
    *,
    now: datetime,
    shards: Collection[str] | None = None,
    waiting_only: bool = False,
) -> None:
    """Leave the line, or free the slots: of the named shards, or of all of a run."""
    query = _IN_LINE.where(TurnRow.run_id == run_id)
    if shards is not None:
        query = query.where(TurnRow.shard.in_(shards))
    if waiting_only:
        query = query.where(TurnRow.began_at.is_(None))
    with ledger.write(ALL) as session:
        _one_at_a_time(session)
        half_life = rules.policy.settings.half_life_seconds
        for row in session.scalars(query.order_by(TurnRow.id)):
            _end(session, row, to_micros(now), rules.slots, half_life)


def must_move(ledger: Ledger, run_id: str, shard: str, rules: Rules, *, now: datetime) -> bool:
    """Would a shard that has its turn on spot capacity, and gets no node, miss its deadline there?

    If so, it begins on an on-demand class when it is asked for again.
    """
    with ledger.read(ALL) as session:
        rows = session.scalars(_IN_LINE.where(TurnRow.run_id == run_id)).all()
        own = next((row for row in rows if row.shard == shard), None)
        if own is None or not own.can_wait:
            return False
        present = rules.slots.get(own.gpu_class or "")
        if present is None or present.market != "spot":
            return False
        left = [waiting_of(row) for row in rows if row.began_at is None or row is own]
        moment = to_micros(now) / 1e6
        markets = Markets(Scene(moment, left, [], rules.slots), rules.policy.settings)
        best, *_ = markets.choices(waiting_of(own))
        return rules.slots[best].market != "spot"


def gpu_class_of(ledger: Ledger, edition: EditionKey, run_id: str, shard: str) -> str | None:
    """The GPU class on which a shard has its turn; None if nobody was asked."""
    query = select(TurnRow.gpu_class).where(
        TurnRow.tenant == edition.tenant, TurnRow.run_id == run_id, TurnRow.shard == shard
    )
    with ledger.read(edition.tenant) as session:
        return session.scalars(query).one_or_none()


def line(ledger: Ledger, whose: Asked, *, now: datetime) -> tuple[TurnInLine, ...]:
    """All that run and wait, those who have begun first, then by when they came."""
    query = _IN_LINE.where(TurnRow.renewed_at >= to_micros(now - EXPIRY)).order_by(
        TurnRow.began_at.is_(None), TurnRow.began_at, TurnRow.asked_at, TurnRow.id
    )
    tenant = tenant_of(whose)
    if tenant is not None:
        query = query.where(TurnRow.tenant == tenant)
    with ledger.read(whose) as session:
        return tuple(shown(row) for row in session.scalars(query))


@repeated
def forget_turns(ledger: Ledger, *, noted_before: datetime) -> None:
    """Delete turns that have ended, or were never asked for: nobody repeats their runs any more.

    What tenants were served is kept apart from them.
    """
    old = delete(TurnRow).where(
        TurnRow.created_at < to_micros(noted_before),
        TurnRow.asked_at.is_(None) | TurnRow.ended_at.is_not(None),
    )
    with ledger.write(ALL) as session:
        session.execute(old, execution_options={"synchronize_session": False})


_IS_IN_LINE = (TurnRow.asked_at.is_not(None), TurnRow.ended_at.is_(None))
_IN_LINE = select(TurnRow).where(*_IS_IN_LINE)


def _one_at_a_time(session: Session) -> None:
    """Decisions are made one after the other; on SQLite writers take turns anyway."""
    if session.get_bind().dialect.name == POSTGRESQL:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})


def _enter(
    session: Session, asker: Asker, shards: Collection[str], now: datetime
) -> dict[str, TurnRow]:
    """The places of shards that were lined up, in line from now on unless they are already."""
    moment = to_micros(now)
    own = _rows(session, asker.runs[0], shards)
    missing = [shard for shard in shards if shard not in own]
    for run in asker.runs[1:] if missing else ():
        for shard, row in _rows(session, run, missing).items():
            if shard not in own:
                own[shard] = again(row, asker.runs[0], moment)
                session.add(own[shard])
    for row in own.values():
        if row.ended_at is not None:
            row.began_at = row.gpu_class = row.ended_at = None
        row.asked_at = row.asked_at or moment
        row.renewed_at, row.process = moment, asker.process
    session.flush()
    return own


def _check_places(rows: Iterable[TurnRow], slots: Mapping[str, Slots]) -> None:
    """Else a run that repeats one from before its GPU class was renamed would wait for ever."""
    for row in rows:
        if slots.keys().isdisjoint(row.gpu_classes):
            raise InputError(
                f"{row.shard} was cut for GPUs that this environment does not have: "
                f"{', '.join(row.gpu_classes)}.",
                where=f"edition {row.edition} of campaign {row.campaign}",
                remedy="Launch the edition, rather than repeat a run: what is missing is cut anew.",
            )


def _rows(session: Session, run_id: str, shards: Collection[str]) -> dict[str, TurnRow]:
    query = select(TurnRow).where(TurnRow.run_id == run_id, TurnRow.shard.in_(shards))
    return {row.shard: row for row in session.scalars(query)}


def _end_lost(
    session: Session, slots: Mapping[str, Slots], half_life: float, now: datetime
) -> None:
    """End turns of processes that are gone, and those that nobody renews."""
    silent = to_micros(now - EXPIRY)
    gone: dict[str, bool] = {}
    for row in _in_line(session):
        process = row.process or ""
        if process not in gone:
            gone[process] = bool(process) and is_gone(process)
        if gone[process] or (row.renewed_at or 0) < silent:
            _end(session, row, row.renewed_at or to_micros(now), slots, half_life)
    session.flush()


def _end(
    session: Session, row: TurnRow, moment: int, slots: Mapping[str, Slots], half_life: float
) -> None:
    """A turn ends; what it held counts as served."""
    row.ended_at = moment
    if row.began_at is None:
        return
    known = slots.get(row.gpu_class or "")
    served = session.get(ServedRow, row.tenant)
    if served is None:
        served = ServedRow(tenant=row.tenant, gpu_seconds=0.0, ended_at=0, created_at=moment)
        session.add(served)
    usage = Usage(served.gpu_seconds, served.ended_at / 1e6).after(
        (moment - row.began_at) / 1e6, known.gpus if known else 1, moment / 1e6, half_life
    )
    served.gpu_seconds, served.ended_at = usage.gpu_seconds, round(usage.ended * 1e6)


def _in_line(session: Session) -> Sequence[TurnRow]:
    """By number. SQLite would read all turns there ever were if it were to sort them."""
    return sorted(session.scalars(_IN_LINE), key=lambda row: row.id)


def _scene(session: Session, rows: Sequence[TurnRow], rules: Rules, now: datetime) -> Scene:
    fresh = to_micros(now - FRESH)
    usage = {
        row.tenant: Usage(row.gpu_seconds, row.ended_at / 1e6)
        for row in session.scalars(select(ServedRow))
    }
    waiting = [
        waiting_of(row) for row in rows if row.began_at is None and (row.renewed_at or 0) >= fresh
    ]
    moment = to_micros(now) / 1e6
    return Scene(
        now=moment,
        waiting=waiting,
        running=running(rows),
        slots=rules.slots,
        usage=usage,
        standings=rules.standings,
        begun=_begun(session, waiting, moment - rules.policy.settings.priority_ageing_seconds),
    )


def _begun(session: Session, waiting: Iterable[Waiting], since: float) -> dict[Lane, float]:
    """What has begun since then, where some wait for longer."""
    if not any(shard.since <= since for shard in waiting):
        return {}
    lanes = (TurnRow.tenant, TurnRow.priority, TurnRow.gpu_class)
    query = select(*lanes, func.max(TurnRow.began_at)).group_by(*lanes)
    rows = session.execute(query.where(TurnRow.began_at > round(since * 1e6))).tuples()
    return {
        (tenant, priority, gpu_class or ""): (began_at or 0) / 1e6
        for tenant, priority, gpu_class, began_at in rows
    }
