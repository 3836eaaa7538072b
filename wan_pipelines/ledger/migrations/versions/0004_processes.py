"""Which process a worker is, told without a clock that somebody may set."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Of workers that are there nobody knows it: they are given up when they fall silent."""
    op.add_column("workers", sa.Column("process", sa.String(), nullable=True))


def downgrade() -> None:
    """Host and number of the process stay."""
    op.drop_column("workers", "process")
