"""The rows behind an admission: read as sets, written as sets."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, literal, select, update
from sqlalchemy.orm import Session

from wan_pipelines.ledger.admission import Candidate, KnownShot
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.statements import chunks, table
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, ShotRow, TakeRow

Row = Mapping[str, Any]

EDITION = ("tenant", "campaign", "edition")
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
    """The id of an edition that exists, and is locked, from now on.

    As with shots, nobody else makes one: the account is locked. So nothing need be said about
    conflicts, a clause which SQLAlchemy compiles anew each time.
    """
    moment = to_micros(now)
    names = edition.names
    says = {"user": edition.user, "admitted_at": moment}
    asked = {f"its_{name}": value for name, value in (names | says).items()}
    found = session.execute(_TOUCH_EDITION, asked).scalar_one_or_none()
    if found is not None:
        return found
    return session.execute(_ADD_EDITION, {**names, **says, "created_at": moment}).scalar_one()


def load_rows(session: Session, edition_id: int) -> dict[str, Row]:
    """The shots of an edition by name, locked; in order of their positions."""
    found = session.execute(_ROWS, {"edition": edition_id}).mappings().all()
    return {row["name"]: dict(row) for row in sorted(found, key=lambda row: row["position"])}


def load_shots(
    session: Session,
    edition: EditionKey,
    edition_id: int,
    candidates: Sequence[Candidate],
    now: datetime,
) -> dict[str, KnownShot]:
    """What the ledger holds about each candidate's shot, by render key; new shots get a row."""
    requests = {candidate.render_key: candidate.request for candidate in candidates}
    keys = sorted(requests)
    known: dict[str, KnownShot] = {}
    for some in chunks(keys):
        known |= _known(session, edition.tenant, edition_id, some)
    missing = [key for key in keys if key not in known]
    common = {"tenant": edition.tenant, "failures": 0, "created_at": to_micros(now)}
    shots = [{"render_key": key, "request": dict(requests[key]), **common} for key in missing]
    if shots:
        added = session.execute(_ADD_SHOTS, shots)
        known |= {key: KnownShot(shot_id) for key, shot_id in added}
    return known


def _known(
    session: Session, tenant: str, edition_id: int, keys: Sequence[str]
) -> dict[str, KnownShot]:
    known: dict[str, KnownShot] = {}
    found = session.execute(_KNOWN, {"tenant": tenant, "keys": keys})
    for key, shot_id, rendered_in, campaign, name in found:
        elsewhere = rendered_in is not None and rendered_in != edition_id
        known[key] = KnownShot(
            shot_id,
            accepted_here=rendered_in == edition_id,
            accepted_elsewhere=f"{campaign}/{name}" if elsewhere else "",
        )
    return known


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
    if new:
        session.execute(_NEW, new)
    if changed:
        session.execute(_CHANGED, changed)


_ROW = table(EditionShotRow).c
_ROWS = (
    select(_ROW.id, _ROW.name, *(_ROW[name] for name in DECIDED))
    .where(_ROW.edition_id == bindparam("edition"))
    .order_by(_ROW.id)
    .with_for_update(key_share=True)
)
_NEW = insert(table(EditionShotRow))
_CHANGED = update(table(EditionShotRow)).where(_ROW.id == bindparam("row_id"))
_SHOTS, _TAKES, _EDITIONS = table(ShotRow).c, table(TakeRow).c, table(EditionRow).c
_TOUCH_EDITION = (
    update(table(EditionRow))
    .where(*(_EDITIONS[name] == bindparam(f"its_{name}") for name in EDITION))
    .values(user=bindparam("its_user"), admitted_at=bindparam("its_admitted_at"))
    .returning(_EDITIONS.id)
)
_ADD_EDITION = insert(table(EditionRow)).returning(_EDITIONS.id)
_ADD_SHOTS = insert(table(ShotRow)).returning(_SHOTS.render_key, _SHOTS.id)
_KNOWN = (
    select(_SHOTS.render_key, _SHOTS.id, _TAKES.edition_id, _EDITIONS.campaign, _EDITIONS.edition)
    .outerjoin(
        table(TakeRow), (_TAKES.shot_id == _SHOTS.id) & (_TAKES.outcome == literal("accepted"))
    )
    .outerjoin(table(EditionRow), _EDITIONS.id == _TAKES.edition_id)
    .where(
        _SHOTS.tenant == bindparam("tenant"),
        _SHOTS.render_key.in_(bindparam("keys", expanding=True)),
    )
)
