"""Shards in line for GPUs, and what tenants were served."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG = sa.BigInteger()
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
IN_LINE = sa.text("asked_at IS NOT NULL AND ended_at IS NULL")


def upgrade() -> None:
    """Runs of before take no turns: nobody lined their shards up."""
    op.create_table(
        "turns",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("shard", sa.String(), nullable=False),
        sa.Column("gpu_microseconds", BIG, nullable=False),
        sa.Column("gpu_classes", sa.JSON(), nullable=False),
        sa.Column("priority", BIG, nullable=False),
        sa.Column("can_wait", sa.Boolean(), nullable=False),
        sa.Column("due_at", BIG, nullable=True),
        sa.Column("asked_at", BIG, nullable=True),
        sa.Column("renewed_at", BIG, nullable=True),
        sa.Column("process", sa.String(), nullable=True),
        sa.Column("gpu_class", sa.String(), nullable=True),
        sa.Column("began_at", BIG, nullable=True),
        sa.Column("ended_at", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_turns_tenant"),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("run_id", "shard", name="uq_turns_run_id_shard"),
    )
    op.create_index(
        "ix_turns_in_line", "turns", ["asked_at"], sqlite_where=IN_LINE, postgresql_where=IN_LINE
    )
    op.create_table(
        "served",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("gpu_seconds", sa.Float(53), nullable=False),
        sa.Column("ended_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_served_tenant"),
        sa.PrimaryKeyConstraint("tenant", name="pk_served"),
    )


def downgrade() -> None:
    """Who waits, and who was served how much, is forgotten; shards begin as they come."""
    op.drop_table("served")
    op.drop_table("turns")
