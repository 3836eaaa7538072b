"""Decisions of people about held prompts."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of reviews, which nobody can change afterwards."""
    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("text_sha256", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("decision IN ('released', 'rejected')", name="decision"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_reviews_tenant"),
        sa.PrimaryKeyConstraint("id", name="pk_reviews"),
    )
    op.create_index("ix_reviews_tenant_text_sha256", "reviews", ["tenant", "text_sha256"])
    refuse_changes("reviews")


def downgrade() -> None:
    """Drop the reviews: prompts that were released are held again."""
    op.drop_table("reviews")
