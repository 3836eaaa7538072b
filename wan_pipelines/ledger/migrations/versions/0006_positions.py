"""Where each worker is: the take it is at, and when it last did a step."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

COLUMNS = {
    "at_take": sa.String(),
    "at_step": sa.BigInteger(),
    "of_steps": sa.BigInteger(),
    "stepped_at": sa.BigInteger(),
}


def upgrade() -> None:
    """Workers of an older version do not say where they are."""
    with op.batch_alter_table("workers") as workers:
        for name, kind in COLUMNS.items():
            workers.add_column(sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Nothing is lost that lasts."""
    for name in COLUMNS:
        op.drop_column("workers", name)
