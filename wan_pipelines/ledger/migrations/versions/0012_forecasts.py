"""What editions were expected to take."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0012"
down_revision = "0011"

BIG = sa.BigInteger()
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Of editions of before, nobody knows any more what was expected."""
    op.create_table(
        "forecasts",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("edition_id", ROW_ID, nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("gpu_class", sa.String(), nullable=False),
        sa.Column("shots", BIG, nullable=False),
        sa.Column("expected_microseconds", BIG, nullable=False),
        sa.Column("low_microseconds", BIG, nullable=False),
        sa.Column("high_microseconds", BIG, nullable=False),
        sa.Column("percent", BIG, nullable=False),
        sa.Column("takes", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_forecasts_tenant"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_forecasts_edition_id"),
        sa.PrimaryKeyConstraint("id", name="pk_forecasts"),
    )
    op.create_index("ix_forecasts_edition_id_created_at", "forecasts", ["edition_id", "created_at"])
    refuse_changes("forecasts")


def downgrade() -> None:
    """What was expected is forgotten."""
    op.drop_table("forecasts")
