"""Invoices that count no more, who decided that, and why."""

import sqlalchemy as sa
from alembic import op

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
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER invoice_withdrawals_no_{verb.lower()} BEFORE {verb} "
                "ON invoice_withdrawals BEGIN "
                "SELECT RAISE(ABORT, 'invoice_withdrawals is append-only'); END"
            )
    else:
        op.execute(
            "CREATE TRIGGER invoice_withdrawals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
            "ON invoice_withdrawals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Invoices that were withdrawn count again."""
    op.drop_table("invoice_withdrawals")
