"""Editions: admitting their shots as a set, and looking them up."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from wan_pipelines.errors import InputError
from wan_pipelines.ledger.admission import (
    Admission,
    Candidate,
    Decision,
    Entry,
    KnownShot,
    Refusal,
    State,
    decisions,
    wishes,
)
from wan_pipelines.ledger.amounts import Amount
from wan_pipelines.ledger.budget_refusals import refuse_waiting
from wan_pipelines.ledger.budget_rows import bind
from wan_pipelines.ledger.budget_sums import with_paid, with_reserved
from wan_pipelines.ledger.budgets import NO_BUDGETS, Budgets
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.edition_rows import (
    Row,
    ensure_edition,
    load_rows,
    load_shots,
    save_rows,
)
from wan_pipelines.ledger.keys import EditionKey
from wan_pipelines.ledger.moments import from_micros_or_none, to_micros
from wan_pipelines.ledger.quotas import left_of, release_unless_running, reserve
from wan_pipelines.ledger.remainders import Remainder, first_lack
from wan_pipelines.ledger.statements import storable, table
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, ShotRow
from wan_pipelines.ledger.tenants import Account, ensure_account, lock_account
from wan_pipelines.ledger.whose import Asked, tenant_of

__all__ = [
    "Admission",
    "Candidate",
    "EditionShot",
    "admit",
    "all_editions",
    "edition_shots",
    "latest_edition",
]


@dataclass(frozen=True, slots=True)
class EditionShot:
    """A shot of an edition as admission left it, with all that is needed to render it."""

    position: int
    name: str
    render_key: str
    request: Mapping[str, Any]
    tier: str
    fps: int
    renditions: tuple[str, ...]
    variables: Mapping[str, str]
    state: State
    reason: str
    may_run_at: datetime | None


def admit(
    ledger: Ledger,
    edition: EditionKey,
    candidates: Sequence[Candidate],
    *,
    only: Collection[str] | None = None,
    lost: Collection[str] = (),
    budgets: Budgets = NO_BUDGETS,
    dry_run: bool = False,
    now: datetime,
) -> tuple[Admission, ...]:
    """Decide which shots of an edition are rendered, and reserve quota for them.

    Admitting the same edition again changes nothing but what has changed meanwhile: refused
    shots are admitted when quota is left, failed shots get a new reservation, shots that are no
    longer among the candidates become withdrawn and give theirs back. What was paid and what is
    reserved stays within its `budgets` and the tenant's; once one is used up, what waits is refused
    as well. With `only`, just the named shots are
    decided about and all others stay as they are. A `dry_run` decides the same and keeps nothing;
    `lost` are render keys whose accepted takes it is to count as given up.

    Returns one admission per shot decided about, in the candidates' order. Raises `InputError`
    for a name that occurs twice or that `only` names in vain, `LedgerError` for an unknown tenant.
    """
    positions = _positions(candidates, edition)
    chosen = _chosen(candidates, only, edition)
    with ledger.write(edition.tenant) as session:
        lock_account(session, edition.tenant)
        account = ensure_account(session, edition.tenant, edition.user, now)
        edition_id = ensure_edition(session, edition, now)
        bound = bind(session, edition, budgets, account.zone, now)
        paid = [with_paid(session, each) for each in bound]
        refuse_waiting(session, edition, paid, now)
        before = load_rows(session, edition_id)
        known = load_shots(session, edition, edition_id, chosen, now)
        known |= {key: KnownShot(known[key].shot_id) for key in lost}
        gone = set() if only is not None else before.keys() - positions.keys()
        staying = {name: _entry(row) for name, row in before.items() if name not in gone}
        wished = wishes(chosen, known, staying)
        dropped = {wish.drops for wish in wished} | {before[name]["reservation"] for name in gone}
        release_unless_running(session, [drop for drop in dropped if drop], now)
        remainders = [
            *left_of(session, account, now),
            *(with_reserved(session, each) for each in paid),
        ]
        wanted = [wish.candidate.amount for wish in wished if wish.wants]
        decided = decisions(wished, _reserved(session, account, remainders, wanted, now))
        after = [_row(decision, known, positions) for decision in decided]
        after += [_withdrawn(before[name]) for name in gone]
        save_rows(session, edition_id, before, after, now)
        if dry_run:
            session.rollback()
    return tuple(decision.admission for decision in decided)


def _reserved(
    session: Session,
    account: Account,
    remainders: Sequence[Remainder],
    wanted: Sequence[Amount],
    now: datetime,
) -> Iterator[str | Refusal]:
    """A reservation for each amount, in order, or what refuses it."""
    refusals: list[Refusal | None] = []
    for amount in wanted:
        lack = first_lack(remainders, amount)
        if lack:
            refusals.append(Refusal(lack.refusal(amount), lack.may_run_at(amount)))
        else:
            refusals.append(None)
            remainders = [remainder.less(amount) for remainder in remainders]
    granted = [amount for amount, refusal in zip(wanted, refusals, strict=True) if not refusal]
    reservations = iter(reserve(session, account, granted, now))
    return (refusal or next(reservations) for refusal in refusals)


def edition_shots(
    ledger: Ledger,
    edition: EditionKey,
    *,
    states: Collection[State] = ("admitted",),
    only: Collection[str] | None = None,
) -> tuple[EditionShot, ...]:
    """The shots of an edition in the given states, in order, ready to be rendered."""
    query = (
        select(table(EditionShotRow), ShotRow.render_key, ShotRow.request)
        .join(ShotRow, ShotRow.id == EditionShotRow.shot_id)
        .join(EditionRow, EditionRow.id == EditionShotRow.edition_id)
        .where(
            EditionRow.tenant == edition.tenant,
            EditionRow.campaign == edition.campaign,
            EditionRow.edition == edition.edition,
            EditionShotRow.state.in_(states),
        )
        .order_by(EditionShotRow.position, EditionShotRow.id)
    )
    with ledger.read(edition.tenant) as session:
        found = session.execute(query).all()
    return tuple(_edition_shot(row) for row in found if only is None or row.name in only)


def all_editions(
    ledger: Ledger, whose: Asked, campaign: str | None = None
) -> tuple[EditionKey, ...]:
    """The editions of a tenant, or of the house, latest first."""
    with ledger.read(whose) as session:
        return tuple(_key(row) for row in session.scalars(_latest_first(whose, campaign)))


def latest_edition(ledger: Ledger, tenant: str, campaign: str) -> EditionKey | None:
    """The edition of a campaign whose first admission was latest; none if there is none."""
    with ledger.read(tenant) as session:
        row = session.scalars(_latest_first(tenant, campaign).limit(1)).one_or_none()
        return row and _key(row)


def _latest_first(whose: Asked, campaign: str | None) -> Select[tuple[EditionRow]]:
    limits = ((EditionRow.tenant, tenant_of(whose)), (EditionRow.campaign, campaign))
    wanted = [column == value for column, value in limits if value is not None]
    latest = (EditionRow.created_at.desc(), EditionRow.id.desc())
    return select(EditionRow).where(*wanted).order_by(*latest)


def _key(row: EditionRow) -> EditionKey:
    return EditionKey(row.tenant, row.user, row.campaign, row.edition)


def _positions(candidates: Sequence[Candidate], edition: EditionKey) -> dict[str, int]:
    positions: dict[str, int] = {}
    for position, candidate in enumerate(candidates):
        if candidate.name in positions:
            raise InputError(
                f"The shot name {candidate.name!r} occurs twice.",
                where=f"edition {edition}",
                remedy="Give every shot of a campaign its own name.",
            )
        positions[candidate.name] = position
    return positions


def _chosen(
    candidates: Sequence[Candidate], only: Collection[str] | None, edition: EditionKey
) -> Sequence[Candidate]:
    if only is None:
        return candidates
    wanted = set(only)
    chosen = [candidate for candidate in candidates if candidate.name in wanted]
    missing = sorted(wanted - {candidate.name for candidate in chosen})
    if missing:
        raise InputError(
            f"There is no shot named {', '.join(missing[:5])}.",
            where=f"edition {edition}",
            remedy="Name shots of the campaign as it is now (`wan plan` lists them).",
        )
    return chosen


def _entry(row: Row) -> Entry:
    return Entry(row["name"], row["shot_id"], row["state"], row["reservation"])


def _row(
    decision: Decision, known: Mapping[str, KnownShot], positions: Mapping[str, int]
) -> dict[str, Any]:
    shot, admission = decision.candidate, decision.admission
    may_run_at = admission.may_run_at
    return {
        "name": shot.name,
        "position": positions[shot.name],
        "shot_id": known[shot.render_key].shot_id,
        "tier": shot.tier,
        "fps": shot.fps,
        "renditions": list(shot.renditions),
        "variables": dict(shot.variables),
        "state": admission.state,
        "reason": storable(admission.reason),
        "may_run_at": None if may_run_at is None else to_micros(may_run_at),
        "reservation": decision.reservation,
        "gpu_microseconds": shot.amount.gpu_microseconds,
        "micro_usd": shot.amount.micro_usd,
    }


def _withdrawn(row: Row) -> dict[str, Any]:
    kept = {name: row[name] for name in row if name != "id"}
    reason = "no longer in the campaign"
    return {**kept, "state": "withdrawn", "reason": reason, "may_run_at": None, "reservation": None}


def _edition_shot(row: SqlRow[Any]) -> EditionShot:
    return EditionShot(
        position=row.position,
        name=row.name,
        render_key=row.render_key,
        request=row.request,
        tier=row.tier,
        fps=row.fps,
        renditions=tuple(row.renditions),
        variables=row.variables,
        state=cast("State", row.state),
        reason=row.reason,
        may_run_at=from_micros_or_none(row.may_run_at),
    )
