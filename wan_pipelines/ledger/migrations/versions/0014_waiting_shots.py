"""Shots that wait for a take are found without those that do not."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

WAITS = sa.text("reservation IS NOT NULL")


def upgrade() -> None:
    """An index of the few that wait; no row changes."""
    op.create_index(
        "ix_edition_shots_waiting",
        "edition_shots",
        ["edition_id"],
        sqlite_where=WAITS,
        postgresql_where=WAITS,
    )


def downgrade() -> None:
    """All shots of a tenant's editions are gone through again."""
    op.drop_index("ix_edition_shots_waiting", "edition_shots")
