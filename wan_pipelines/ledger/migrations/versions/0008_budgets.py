"""What an edition may cost."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Editions that were admitted before have no budget until they are admitted again."""
    with op.batch_alter_table("editions") as editions:
        editions.add_column(sa.Column("budget_micro_usd", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Nothing stops at a budget any more."""
    op.drop_column("editions", "budget_micro_usd")
