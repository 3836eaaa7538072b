"""Descents: takes that were drawn on a lower rung of their release's ladder, and who allows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import insert, select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.moments import to_micros
from wan_pipelines.ledger.statements import Transaction, table
from wan_pipelines.ledger.tables import DescentRow, TenantRow

Degradation = Literal["allowed", "exact_only"]


@dataclass(frozen=True, slots=True)
class Descent:
    """The rungs a take was drawn on, the lowest last, and what that made of its shot.

    `drawn_key` is the render key of what was drawn, `release` the actual one, `tier` the
    lighter one, if there was any.
    """

    rungs: tuple[str, ...]
    drawn_key: str
    release: str
    tier: str

    def changes_pixels(self, render_key: str) -> bool:
        """Is it another video than the one that was asked for?"""
        return self.drawn_key != render_key


def note_descent(
    transaction: Transaction, tenant: str, take_id: str, descent: Descent, now: datetime
) -> None:
    """In the transaction that ends the take."""
    row = {
        "take_id": take_id,
        "tenant": tenant,
        "rungs": list(descent.rungs),
        "drawn_key": descent.drawn_key,
        "release": descent.release,
        "tier": descent.tier,
        "created_at": to_micros(now),
    }
    transaction.execute(_INSERT, row)


def descent_of(row: DescentRow | None) -> Descent | None:
    """The record of a row of an outer join."""
    return row and Descent(tuple(row.rungs), row.drawn_key, row.release, row.tier)


def degradation_of(ledger: Ledger, tenant: str) -> Degradation:
    """Whether a tenant's shots may be drawn with other pixels rather than fail."""
    query = select(TenantRow.degradation).where(TenantRow.name == tenant)
    with ledger.read(tenant) as session:
        found = session.scalars(query).one_or_none()
    return "allowed" if found == "allowed" else "exact_only"


_INSERT = insert(table(DescentRow))
