"""Budgets of campaigns and tenants a month beside those of editions, and who was told of them."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger()
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NOTICE = ("tenant", "campaign", "edition", "month", "action", "at_micro_usd")


def upgrade() -> None:
    """Budgets of editions move into the new table; at one, no shot was begun any more."""
    _budgets()
    _notices()
    op.execute(
        "INSERT INTO budgets (tenant, campaign, edition, micro_usd, notify_micro_usd, "
        "finish_micro_usd, stop_micro_usd, updated_at, created_at) "
        "SELECT tenant, campaign, edition, budget_micro_usd, '[]', budget_micro_usd, NULL, "
        "admitted_at, created_at FROM editions WHERE budget_micro_usd IS NOT NULL"
    )
    op.drop_column("editions", "budget_micro_usd")
    op.create_index("ix_workers_tenant_started_at", "workers", ["tenant", "started_at"])


def downgrade() -> None:
    """Budgets a month are lost."""
    op.drop_index("ix_workers_tenant_started_at", "workers")
    with op.batch_alter_table("editions") as editions:
        editions.add_column(sa.Column("budget_micro_usd", BIG, nullable=True))
    op.execute(
        "UPDATE editions SET budget_micro_usd = (SELECT finish_micro_usd FROM budgets "
        "WHERE budgets.tenant = editions.tenant AND budgets.campaign = editions.campaign "
        "AND budgets.edition = editions.edition)"
    )
    op.drop_table("budget_notices")
    op.drop_table("budgets")


def _budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("micro_usd", BIG, nullable=False),
        sa.Column("notify_micro_usd", sa.JSON(), nullable=False),
        sa.Column("finish_micro_usd", BIG, nullable=True),
        sa.Column("stop_micro_usd", BIG, nullable=True),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_budgets_tenant"),
        sa.PrimaryKeyConstraint("tenant", "campaign", "edition", name="pk_budgets"),
    )


def _notices() -> None:
    op.create_table(
        "budget_notices",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("at_micro_usd", BIG, nullable=False),
        sa.Column("paid_micro_usd", BIG, nullable=False),
        sa.Column("reserved_micro_usd", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("action IN ('notify', 'finish', 'stop')", name="action"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_budget_notices_tenant"),
        sa.PrimaryKeyConstraint("id", name="pk_budget_notices"),
        sa.UniqueConstraint(*NOTICE, name="uq_budget_notices_threshold"),
    )
    refuse_changes("budget_notices")
