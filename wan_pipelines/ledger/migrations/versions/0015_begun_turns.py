"""What has begun of late is found without all that ever did."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """An index; no row changes."""
    columns = ["began_at", "tenant", "priority", "gpu_class"]
    op.create_index("ix_turns_begun", "turns", columns)


def downgrade() -> None:
    """Priorities that were passed over are looked for among all turns."""
    op.drop_index("ix_turns_begun", "turns")
