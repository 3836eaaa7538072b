"""Invoices that count no more, who decided that, and why."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0013"
down_revision = "0012"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """All invoices that were imported count."""
    op.create_table(
        "invoice_withdrawals",
        sa.Column("invoice_id", ROW_ID, nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name="fk_invoice_withdrawals_invoice_id"
        ),
        sa.PrimaryKeyConstraint("invoice_id", name="pk_invoice_withdrawals"),
    )
    refuse_changes("invoice_withdrawals")


def downgrade() -> None:
    """Invoices that were withdrawn count again."""
    op.drop_table("invoice_withdrawals")
