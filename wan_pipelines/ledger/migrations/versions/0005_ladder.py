"""Takes drawn with less than was asked for, where shots begin since, and who allows it."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Tenants that are there take exact renders only, as before."""
    with op.batch_alter_table("tenants") as tenants:
        tenants.add_column(
            sa.Column("degradation", sa.String(), server_default="exact_only", nullable=False)
        )
    op.create_table(
        "descents",
        sa.Column("take_id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("rungs", sa.JSON(), nullable=False),
        sa.Column("drawn_key", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["take_id"], ["takes.id"], name="fk_descents_take_id"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_descents_tenant"),
        sa.PrimaryKeyConstraint("take_id", name="pk_descents"),
    )
    op.create_table(
        "footholds",
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("gpu_class", sa.String(), nullable=False),
        sa.Column("gpu_count", sa.BigInteger(), nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("rung", sa.String(), nullable=False),
        sa.Column("misses", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name="pk_footholds"),
    )
    refuse_changes("descents")


def downgrade() -> None:
    """What was drawn with less cannot be told from the rest any more."""
    op.drop_table("footholds")
    op.drop_table("descents")
    op.drop_column("tenants", "degradation")
