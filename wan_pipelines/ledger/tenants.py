"""Plans, tenants and users: configuration that the ledger keeps, so that limits bind everybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.amounts import Measure
from wan_pipelines.ledger.budget_rows import declared_budgets, keep_budget
from wan_pipelines.ledger.budgets import Budget, BudgetKey
from wan_pipelines.ledger.database import Ledger
from wan_pipelines.ledger.descents import Degradation
from wan_pipelines.ledger.limit_changes import changes_for
from wan_pipelines.ledger.limits import Limit, Scope, effective
from wan_pipelines.ledger.moments import from_micros, to_micros
from wan_pipelines.ledger.statements import Transaction, insert_missing, lock_rows, table
from wan_pipelines.ledger.tables import PlanLimitRow, PlanRow, TenantRow, UserRow
from wan_pipelines.ledger.whose import House


@dataclass(frozen=True, slots=True)
class Plan:
    """Limits that tenants share; `None` means no limit."""

    name: str
    shots_per_user_day: int | None = None
    further: tuple[Limit, ...] = ()

    @property
    def limits(self) -> tuple[Limit, ...]:
        """All that there are."""
        limits = (Limit("user_day", "shots", self.shots_per_user_day), *self.further)
        return tuple(limit for limit in limits if limit.most is not None)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who pays. The day of a quota begins at midnight in `time_zone` (an IANA name).

    `budget` is what all campaigns together may cost a month.
    """

    name: str
    plan: str
    time_zone: str = "UTC"
    users: tuple[str, ...] = ()
    degradation: Degradation = "exact_only"
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a tenant with the limits that hold for them now."""

    tenant: str
    user: str
    plan: str
    zone: ZoneInfo
    limits: tuple[Limit, ...]

    def most(self, scope: Scope, measure: Measure) -> int | None:
        """The limit of a measure in a scope, if there is one."""
        subject = (scope, measure)
        return next((limit.most for limit in self.limits if limit.subject == subject), None)


def configure(
    ledger: Ledger, plans: Sequence[Plan], tenants: Sequence[Tenant], *, now: datetime
) -> None:
    """Make the ledger's plans, tenants and users those of the configuration.

    What is not in the configuration stays: somebody may have paid with it. Nothing is written
    when nothing differs, so that every process may call this when it starts.
    """
    for tenant in tenants:
        zone_of(tenant.name, tenant.time_zone)
    if _is_configured(ledger, plans, tenants):
        return
    moment = to_micros(now)
    with ledger.write(House("configuration")) as session:
        for plan in plans:
            _upsert_plan(session, plan, moment)
        for tenant in tenants:
            _upsert_tenant(session, tenant, moment)


def users_of(ledger: Ledger, tenant: str) -> tuple[str, ...]:
    """The users of a tenant that ever asked for anything or are configured, by name."""
    query = select(UserRow.name).where(UserRow.tenant == tenant).order_by(UserRow.name)
    with ledger.read(tenant) as session:
        return tuple(session.scalars(query))


def zone_of(tenant: str, time_zone: str) -> ZoneInfo:
    """A tenant's time zone; `LedgerError` when there is none of that name."""
    try:
        return ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise LedgerError(
            f"Tenant {tenant} has the time zone {time_zone!r}, which does not exist. Write an "
            "IANA name such as Europe/Berlin or UTC."
        ) from error


def lock_account(transaction: Transaction, tenant: str) -> None:
    """Let nobody else spend a tenant's quota until the transaction ends."""
    lock_rows(transaction, _LOCK_TENANT, {"tenant": tenant})


def account_of(
    transaction: Transaction, tenant: str, user: str, now: datetime, *, known: bool = True
) -> Account:
    """The account of a user; unless that must be `known`, also of one who never asked."""
    account, is_known = _account(transaction, tenant, user, now)
    if account is None or (known and not is_known):
        raise LedgerError(f"Tenant {tenant} has no user {user} in the ledger.")
    return account


def _account(
    transaction: Transaction, tenant: str, user: str, now: datetime
) -> tuple[Account | None, bool]:
    """The account there is for a known tenant, and whether its user is known as well."""
    found = transaction.execute(_ACCOUNT, {"tenant": tenant, "user": user}).one_or_none()
    if found is None:
        return None, False
    zone = zone_of(tenant, found.time_zone)
    declared = limits_of_plan(transaction, found.plan)
    limits = effective(declared, changes_for(transaction, tenant, user), now)
    return Account(tenant, user, found.plan, zone, limits), found.name is not None


def limits_of_plan(transaction: Transaction, plan: str) -> tuple[Limit, ...]:
    """What a plan declares."""
    return tuple(Limit(*row) for row in transaction.execute(_OF_PLAN, {"plan": plan}))


_LIMITS = table(PlanLimitRow).c
_OF_PLAN = select(_LIMITS.scope, _LIMITS.measure, _LIMITS.most).where(
    _LIMITS.plan == bindparam("plan")
)
_ACCOUNT = (
    select(TenantRow.plan, TenantRow.time_zone, UserRow.name)
    .outerjoin(UserRow, (UserRow.tenant == TenantRow.name) & (UserRow.name == bindparam("user")))
    .where(TenantRow.name == bindparam("tenant"))
)
_LOCK_TENANT = (
    select(TenantRow.name)
    .where(TenantRow.name == bindparam("tenant"))
    .with_for_update(key_share=True)
)


def ensure_account(session: Session, tenant: str, user: str, now: datetime) -> Account:
    """The account of a known tenant's user, who exists from the first request on."""
    account, is_known = _account(session, tenant, user, now)
    if account is None:
        raise LedgerError(
            f"Tenant {tenant} is not known to the ledger. Add it to the environment's tenants, "
            "with a plan and a time zone."
        )
    if not is_known:
        row = {"tenant": tenant, "name": user, "created_at": to_micros(now)}
        insert_missing(session, UserRow, [row])
    return account


def plan_names(session: Session) -> Sequence[str]:
    return session.scalars(select(PlanRow.name)).all()


def _is_configured(ledger: Ledger, plans: Sequence[Plan], tenants: Sequence[Tenant]) -> bool:
    with ledger.read(House("configuration")) as session:
        declared = {name: set(limits_of_plan(session, name)) for name in plan_names(session)}
        found_tenants = {
            (row.name, row.plan, row.time_zone, row.degradation)
            for row in session.scalars(select(TenantRow))
        }
        wanted = {(tenant.name, user) for tenant in tenants for user in tenant.users}
        budgets = declared_budgets(session)
        found_users = {(row.tenant, row.name) for row in session.scalars(select(UserRow))}
    return (
        all(declared.get(plan.name) == set(plan.limits) for plan in plans)
        and found_tenants.issuperset((t.name, t.plan, t.time_zone, t.degradation) for t in tenants)
        and all(budgets.get(BudgetKey(tenant.name)) == tenant.budget for tenant in tenants)
        and found_users.issuperset(wanted)
    )


def _upsert_plan(session: Session, plan: Plan, moment: int) -> None:
    values = {"updated_at": moment}
    insert_missing(session, PlanRow, [{"name": plan.name, "created_at": moment, **values}])
    session.execute(update(PlanRow).where(PlanRow.name == plan.name).values(values))
    session.execute(delete(PlanLimitRow).where(PlanLimitRow.plan == plan.name))
    session.add_all(
        PlanLimitRow(
            plan=plan.name,
            scope=limit.scope,
            measure=limit.measure,
            most=limit.most,
            created_at=moment,
        )
        for limit in plan.limits
    )


def _upsert_tenant(session: Session, tenant: Tenant, moment: int) -> None:
    if session.get(PlanRow, tenant.plan) is None:
        raise LedgerError(
            f"Tenant {tenant.name} has the plan {tenant.plan!r}, which is not configured."
        )
    values = {
        "plan": tenant.plan,
        "time_zone": tenant.time_zone,
        "degradation": tenant.degradation,
        "updated_at": moment,
    }
    insert_missing(session, TenantRow, [{"name": tenant.name, "created_at": moment, **values}])
    session.execute(update(TenantRow).where(TenantRow.name == tenant.name).values(values))
    keep_budget(session, BudgetKey(tenant.name), tenant.budget, from_micros(moment))
    users = [{"tenant": tenant.name, "name": user, "created_at": moment} for user in tenant.users]
    insert_missing(session, UserRow, users)
