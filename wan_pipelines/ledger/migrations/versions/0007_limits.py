"""Limits of GPU time and money beside shots, for tenants too, and decisions about them."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger()
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SCOPES = "scope IN ('user_day', 'tenant_day', 'tenant_month')"
MEASURES = "measure IN ('shots', 'gpu_microseconds', 'micro_usd')"
AMOUNTS = ("gpu_microseconds", "micro_usd")


def upgrade() -> None:
    """What was reserved before counts as shots alone."""
    _limits()
    _changes()
    op.execute(
        "INSERT INTO plan_limits (plan, scope, measure, most, created_at) "
        "SELECT name, 'user_day', 'shots', shots_per_user_day, updated_at FROM plans "
        "WHERE shots_per_user_day IS NOT NULL"
    )
    op.drop_column("plans", "shots_per_user_day")
    for name in AMOUNTS:
        with op.batch_alter_table("quota_entries") as entries:
            entries.add_column(sa.Column(name, BIG, server_default="0", nullable=False))
        with op.batch_alter_table("edition_shots") as wishes:
            wishes.add_column(sa.Column(name, BIG, server_default="0", nullable=False))
    op.create_index("ix_quota_entries_tenant_day", "quota_entries", ["tenant", "day"])


def downgrade() -> None:
    """Decisions and limits of other measures are lost."""
    op.drop_index("ix_quota_entries_tenant_day", "quota_entries")
    for name in reversed(AMOUNTS):
        op.drop_column("edition_shots", name)
        op.drop_column("quota_entries", name)
    with op.batch_alter_table("plans") as plans:
        plans.add_column(sa.Column("shots_per_user_day", BIG, nullable=True))
    op.execute(
        "UPDATE plans SET shots_per_user_day = (SELECT most FROM plan_limits "
        "WHERE plan = plans.name AND scope = 'user_day' AND measure = 'shots')"
    )
    op.drop_table("limit_changes")
    op.drop_table("plan_limits")


def _limits() -> None:
    op.create_table(
        "plan_limits",
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("most", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint(SCOPES, name="scope"),
        sa.CheckConstraint(MEASURES, name="measure"),
        sa.ForeignKeyConstraint(["plan"], ["plans.name"], name="fk_plan_limits_plan"),
        sa.PrimaryKeyConstraint("plan", "scope", "measure", name="pk_plan_limits"),
    )


def _changes() -> None:
    op.create_table(
        "limit_changes",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=True),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", BIG, nullable=True),
        sa.Column("starts_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint(SCOPES, name="scope"),
        sa.CheckConstraint(MEASURES, name="measure"),
        sa.CheckConstraint("kind IN ('set', 'grant')", name="kind"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_limit_changes_tenant"),
        sa.PrimaryKeyConstraint("id", name="pk_limit_changes"),
    )
    op.create_index("ix_limit_changes_tenant", "limit_changes", ["tenant"])
    refuse_changes("limit_changes")
