"""Reviews: a person releases a text that screening held, or rejects it. Append-only."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import chunks, storable
from wan_pipelines.ledger.tables import EditionRow, EditionShotRow, ReviewRow, ShotRow
from wan_pipelines.ledger.whose import Asked, tenant_of

Ruling = Literal["released", "rejected"]


@dataclass(frozen=True, slots=True)
class Review:
    """Who decided what about a text, and why if they said so."""

    tenant: str
    text_sha256: str
    text: str
    decision: Ruling
    decided_by: str
    note: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class HeldShot:
    """A shot of an edition as the last launch left it: held, with the texts it is made from."""

    tenant: str
    campaign: str
    edition: str
    shot: str
    prompt: str
    negative_prompt: str


def digest_of(text: str) -> str:
    """SHA-256 (hex) by which a text is known."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def review(
    ledger: Ledger,
    tenant: str,
    text: str,
    decision: Ruling,
    *,
    decided_by: str,
    note: str = "",
    now: datetime,
) -> Review:
    """Record a decision about a text of a tenant; it holds from the next launch on."""
    row = ReviewRow(
        tenant=tenant,
        text_sha256=digest_of(text),
        text=storable(text, longest=len(text)),
        decision=decision,
        decided_by=storable(decided_by),
        note=storable(note),
        created_at=to_micros(now),
    )
    with ledger.write(tenant) as session:
        session.add(row)
        session.flush()
        return _review(row)


def reviews_of(ledger: Ledger, tenant: str, texts: Collection[str]) -> dict[str, Review]:
    """The latest decision about each of these texts that a person has decided about."""
    by_digest = {digest_of(text): text for text in texts}
    query = select(ReviewRow).where(ReviewRow.tenant == tenant).order_by(ReviewRow.id)
    with ledger.read(tenant) as session:
        return {
            by_digest[row.text_sha256]: _review(row)
            for some in chunks(sorted(by_digest))
            for row in session.scalars(query.where(ReviewRow.text_sha256.in_(some)))
        }


def all_reviews(ledger: Ledger, whose: Asked) -> tuple[Review, ...]:
    """Every decision of a tenant, or of the house, latest first."""
    query = select(ReviewRow).order_by(ReviewRow.id.desc())
    tenant = tenant_of(whose)
    if tenant is not None:
        query = query.where(ReviewRow.tenant == tenant)
    with ledger.read(whose) as session:
        return tuple(_review(row) for row in session.scalars(query))


def held_shots(ledger: Ledger, whose: Asked) -> tuple[HeldShot, ...]:
    """The held shots of a tenant, or of the house, oldest first."""
    query = (
        select(EditionRow, EditionShotRow.name, ShotRow.request)
        .join(EditionShotRow, EditionShotRow.edition_id == EditionRow.id)
        .join(ShotRow, ShotRow.id == EditionShotRow.shot_id)
        .where(EditionShotRow.state == "held")
        .order_by(EditionRow.created_at, EditionRow.id, EditionShotRow.position)
    )
    tenant = tenant_of(whose)
    if tenant is not None:
        query = query.where(EditionRow.tenant == tenant)
    with ledger.read(whose) as session:
        return tuple(
            HeldShot(
                tenant=edition.tenant,
                campaign=edition.campaign,
                edition=edition.edition,
                shot=name,
                prompt=request["prompt"],
                negative_prompt=request["negative_prompt"],
            )
            for edition, name, request in session.execute(query)
        )


def _review(row: ReviewRow) -> Review:
    return Review(
        tenant=row.tenant,
        text_sha256=row.text_sha256,
        text=row.text,
        decision=cast("Ruling", row.decision),
        decided_by=row.decided_by,
        note=row.note,
        decided_at=from_micros(row.created_at),
    )
