"""What of a charge is waste, as SQL; for queries that join charges to takes."""

from sqlalchemy import case, func

from wan_pipelines.ledger.tables import ChargeRow, TakeRow

WASTED = case((func.coalesce(TakeRow.outcome, "") != "accepted", ChargeRow.micro_usd), else_=0)
"""Micro-dollars that did not go into a take that is accepted."""

UNATTRIBUTED = case((ChargeRow.take_id.is_(None), ChargeRow.micro_usd), else_=0)
"""Micro-dollars that went into no take at all."""
