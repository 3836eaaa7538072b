"""Decisions about limits: set for a tenant or user, or more granted for a while. Append-only."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import Row, bindparam, select

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.amounts import Measure
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.limits import ChangeKind, LimitChange, Scope
from wan_pipelines.ledger.moments import from_micros, from_micros_or_none, to_micros
from wan_pipelines.ledger.statements import Transaction, storable, table
from wan_pipelines.ledger.tables import LimitChangeRow, TenantRow


def change_limit(ledger: Ledger, change: LimitChange, *, dry_run: bool = False) -> None:
    """Record a decision; it holds from the next admission on. A `dry_run` only looks at it.

    Raises `LedgerError` for a tenant that there is not, and for a decision that makes no sense.
    """
    problem = _problem(change)
    if problem:
        raise LedgerError(f"The limit of tenant {change.tenant} stays as it is: {problem}.")
    with ledger.write(change.tenant) as session:
        if session.get(TenantRow, change.tenant) is None:
            raise LedgerError(f"Tenant {change.tenant} is not known to the ledger.")
        session.add(
            LimitChangeRow(
                tenant=change.tenant,
                user=change.user,
                scope=change.scope,
                measure=change.measure,
                kind=change.kind,
                amount=change.amount,
                starts_at=to_micros(change.starts_at),
                expires_at=None if change.expires_at is None else to_micros(change.expires_at),
                reason=storable(change.reason),
                decided_by=storable(change.decided_by, 200),
                created_at=to_micros(change.decided_at),
            )
        )
        if dry_run:
            session.rollback()


def limit_changes(ledger: Ledger, tenant: str) -> tuple[LimitChange, ...]:
    """All decisions about a tenant and its users, in order."""
    with ledger.read(tenant) as session:
        rows = session.execute(_OF_TENANT, {"tenant": tenant}).all()
    return tuple(map(_change, rows))


def changes_for(transaction: Transaction, tenant: str, user: str) -> Sequence[LimitChange]:
    """The decisions that concern a user: those about the tenant, and those about just them."""
    rows = transaction.execute(_OF_TENANT, {"tenant": tenant}).all()
    return [_change(row) for row in rows if row.user in (None, user)]


def _problem(change: LimitChange) -> str:
    if change.user is not None and change.scope != "user_day":
        return "a limit of the whole tenant is not one of a user"
    if change.kind == "grant" and not change.amount:
        return "a grant says how much more"
    if change.amount is not None and change.amount < 0:
        return "an amount is not negative"
    if change.expires_at is not None and change.expires_at <= change.starts_at:
        return "it would expire before it begins"
    if not change.reason.strip():
        return "a decision has a reason, for whoever looks at it later"
    return ""


def _change(row: Row[tuple[object, ...]]) -> LimitChange:
    return LimitChange(
        tenant=row.tenant,
        user=row.user,
        scope=cast("Scope", row.scope),
        measure=cast("Measure", row.measure),
        kind=cast("ChangeKind", row.kind),
        amount=row.amount,
        starts_at=from_micros(row.starts_at),
        expires_at=from_micros_or_none(row.expires_at),
        reason=row.reason,
        decided_by=row.decided_by,
        decided_at=from_micros(row.created_at),
    )


_CHANGES = table(LimitChangeRow)
_OF_TENANT = (
    select(_CHANGES).where(_CHANGES.c.tenant == bindparam("tenant")).order_by(_CHANGES.c.id)
)
