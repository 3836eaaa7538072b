"""The rows behind an admission: read as sets, written as sets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from wan_pipelines.ledger.admission import Candidate, Standing
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.statements import chunks, insert_missing, insert_of, table
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, ShotRow, TakeRow

Row = Mapping[str, Any]

DECIDED = (
    "position",
    "shot_id",
    "tier",
    "fps",
    "renditions",
    "variables",
    "state",
    "reason",
    "may_run_at",
    "reservation",
    "gpu_microseconds",
    "micro_usd",
)


def ensure_edition(session: Session, edition: EditionKey, now: datetime) -> int:
    """The id of an edition that exists, and is locked, from now on."""
    moment = to_micros(now)
    names = {"tenant": edition.tenant, "campaign": edition.campaign, "edition": edition.edition}
    row = {**names, "created_at": moment}
    changed = {"user": edition.user, "admitted_at": moment}
    upsert = (
        insert_of(session)(table(EditionRow))
        .on_conflict_do_update(index_elements=list(names), set_=changed)
        .returning(table(EditionRow).c.id)
    )
    return session.execute(upsert, {**row, **changed}).scalar_one()


def load_rows(session: Session, edition_id: int) -> dict[str, Row]:
    """The shots of an edition by name, locked; in order of their positions."""
    columns = table(EditionShotRow).c
    query = (
        select(columns.id, columns.name, *(columns[name] for name in DECIDED))
        .where(columns.edition_id == edition_id)
        .order_by(columns.id)
        .with_for_update(key_share=True)
    )
    found = session.execute(query).mappings().all()
    return {row["name"]: dict(row) for row in sorted(found, key=lambda row: row["position"])}


def load_standings(
    session: Session,
    edition: EditionKey,
    edition_id: int,
    candidates: Sequence[Candidate],
    now: datetime,
) -> dict[str, Standing]:
    """What the ledger holds about each candidate's shot, by render key; new shots get a row."""
    requests = {candidate.render_key: candidate.request for candidate in candidates}
    keys = sorted(requests)  # one order for everybody: concurrent inserts cannot deadlock
    standings: dict[str, Standing] = {}
    for some in chunks(keys):
        standings |= _known(session, edition.tenant, edition_id, some)
    missing = [key for key in keys if key not in standings]
    common = {"tenant": edition.tenant, "failures": 0, "created_at": to_micros(now)}
    shots = [{"render_key": key, "request": dict(requests[key]), **common} for key in missing]
    insert_missing(session, ShotRow, shots)
    for some in chunks(missing):
        standings |= _known(session, edition.tenant, edition_id, some)
    return standings


def _known(
    session: Session, tenant: str, edition_id: int, keys: Sequence[str]
) -> dict[str, Standing]:
    query = (
        select(
            ShotRow.render_key,
            ShotRow.id,
            TakeRow.edition_id,
            EditionRow.campaign,
            EditionRow.edition,
        )
        .outerjoin(TakeRow, (TakeRow.shot_id == ShotRow.id) & (TakeRow.outcome == "accepted"))
        .outerjoin(EditionRow, EditionRow.id == TakeRow.edition_id)
        .where(ShotRow.tenant == tenant, ShotRow.render_key.in_(keys))
    )
    standings: dict[str, Standing] = {}
    for key, shot_id, rendered_in, campaign, name in session.execute(query):
        elsewhere = rendered_in is not None and rendered_in != edition_id
        standings[key] = Standing(
            shot_id,
            accepted_here=rendered_in == edition_id,
            accepted_elsewhere=f"{campaign}/{name}" if elsewhere else "",
        )
    return standings


def save_rows(
    session: Session,
    edition_id: int,
    before: Mapping[str, Row],
    after: Iterable[Row],
    now: datetime,
) -> None:
    """Insert the rows that are new and update those that differ from `before`."""
    moment = to_micros(now)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for row in after:
        old = before.get(row["name"])
        if old is None:
            new.append(
                {**row, "edition_id": edition_id, "created_at": moment, "updated_at": moment}
            )
        elif any(row[name] != old[name] for name in DECIDED):
            changed.append({**row, "row_id": old["id"], "updated_at": moment})
    target = table(EditionShotRow)
    if new:
        session.execute(insert(target), new)
    if changed:
        session.execute(update(target).where(target.c.id == bindparam("row_id")), changed)
