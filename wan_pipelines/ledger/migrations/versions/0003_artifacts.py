"""Compiled code that may be loaded."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of artifacts, which nobody can change afterwards."""
    op.create_table(
        "artifacts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_digest", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("built_by", sa.String(), nullable=False),
        sa.Column("fits", sa.JSON(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_artifacts"),
    )
    op.create_index("ix_artifacts_key_digest", "artifacts", ["key_digest"])
    op.create_index("ix_artifacts_release", "artifacts", ["release"])
    refuse_changes("artifacts")


def downgrade() -> None:
    """Drop the records: no artifact is loaded any more until it is built again."""
    op.drop_table("artifacts")
