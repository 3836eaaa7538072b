"""Accepted takes whose pixels are not those that were asked for."""

from collections.abc import Collection

from sqlalchemy import select

from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.statements import chunks
from wan_pipelines.ledger.tables import DescentRow, ShotRow, TakeRow


def degraded_takes(ledger: Ledger, tenant: str, render_keys: Collection[str]) -> dict[str, str]:
    """Of a tenant's shots, by render key, the accepted takes that were drawn with less."""
    query = (
        select(ShotRow.render_key, TakeRow.id)
        .join(TakeRow, TakeRow.shot_id == ShotRow.id)
        .join(DescentRow, DescentRow.take_id == TakeRow.id)
        .where(TakeRow.tenant == tenant, TakeRow.outcome == "accepted")
        .where(DescentRow.drawn_key != ShotRow.render_key)
    )
    with ledger.read(tenant) as session:
        return {
            render_key: take_id
            for some in chunks(sorted(render_keys))
            for render_key, take_id in session.execute(query.where(ShotRow.render_key.in_(some)))
        }
