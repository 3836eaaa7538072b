"""Everything the ledger began with."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0001"
down_revision = None

BIG = sa.BigInteger()
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("prices", "charges", "quota_entries", "forgettings")

TABLES = (
    "plans",
    "tenants",
    "users",
    "editions",
    "shots",
    "edition_shots",
    "prices",
    "workers",
    "takes",
    "renditions",
    "forgettings",
    "spans",
    "charges",
    "quota_entries",
)


def upgrade() -> None:
    """Create all tables."""
    _tenants()
    _editions()
    _workers()
    _takes()
    _money()
    _refuse_changes()


def downgrade() -> None:
    """Drop all tables, and what they hold."""
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _tenants() -> None:
    op.create_table(
        "plans",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shots_per_user_day", BIG, nullable=True),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_plans"),
    )
    op.create_table(
        "tenants",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["plan"], ["plans.name"], name="fk_tenants_plan"),
        sa.PrimaryKeyConstraint("name", name="pk_tenants"),
    )
    op.create_table(
        "users",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_users_tenant"),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_users"),
    )


def _editions() -> None:
    op.create_table(
        "editions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("admitted_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "user"], ["users.tenant", "users.name"], name="fk_editions_tenant_user"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint(
            "tenant", "campaign", "edition", name="uq_editions_tenant_campaign_edition"
        ),
    )
    op.create_table(
        "shots",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("render_key", sa.String(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("last_failed_at", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_shots_tenant"),
        sa.PrimaryKeyConstraint("id", name="pk_shots"),
        sa.UniqueConstraint("tenant", "render_key", name="uq_shots_tenant_render_key"),
    )
    op.create_table(
        "edition_shots",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("edition_id", ROW_ID, nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("shot_id", ROW_ID, nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("fps", BIG, nullable=False),
        sa.Column("renditions", sa.JSON(), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("may_run_at", BIG, nullable=True),
        sa.Column("reservation", sa.String(), nullable=True),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint(
            "state IN ('admitted', 'reused', 'held', 'rejected', 'refused', "
            "'duplicate', 'withdrawn')",
            name="state",
        ),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_edition_shots_edition_id"
        ),
        sa.ForeignKeyConstraint(["shot_id"], ["shots.id"], name="fk_edition_shots_shot_id"),
        sa.PrimaryKeyConstraint("id", name="pk_edition_shots"),
        sa.UniqueConstraint("edition_id", "name", name="uq_edition_shots_edition_id_name"),
    )
    op.create_index(
        "ix_edition_shots_shot_id_edition_id",
        "edition_shots",
        ["shot_id", "edition_id"],
        unique=False,
    )


def _workers() -> None:
    op.create_table(
        "prices",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("gpu_class", sa.String(), nullable=False),
        sa.Column("market", sa.String(), nullable=False),
        sa.Column("micro_usd_per_gpu_hour", BIG, nullable=False),
        sa.Column("valid_from", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prices"),
        sa.UniqueConstraint(
            "gpu_class", "market", "valid_from", name="uq_prices_gpu_class_market_valid_from"
        ),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("edition_id", ROW_ID, nullable=True),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("step_key", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", BIG, nullable=False),
        sa.Column("gpu_class", sa.String(), nullable=False),
        sa.Column("gpu_count", BIG, nullable=False),
        sa.Column("price_id", ROW_ID, nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("heartbeat_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.Column("settled_until", BIG, nullable=False),
        sa.Column("paid_micro_usd", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_workers_edition_id"),
        sa.ForeignKeyConstraint(["price_id"], ["prices.id"], name="fk_workers_price_id"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_workers_tenant"),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_index("ix_workers_edition_id", "workers", ["edition_id"], unique=False)
    op.create_index("ix_workers_run_id", "workers", ["run_id"], unique=False)
    op.create_index(
        "ix_workers_running",
        "workers",
        ["heartbeat_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _takes() -> None:
    op.create_table(
        "takes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("shot_id", ROW_ID, nullable=False),
        sa.Column("edition_id", ROW_ID, nullable=False),
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reservation", sa.String(), nullable=False),
        sa.Column("lease_expires_at", BIG, nullable=True),
        sa.Column("seed", BIG, nullable=True),
        sa.Column("steps", BIG, nullable=True),
        sa.Column("text_microseconds", BIG, nullable=True),
        sa.Column("denoise_high_microseconds", BIG, nullable=True),
        sa.Column("denoise_low_microseconds", BIG, nullable=True),
        sa.Column("decode_microseconds", BIG, nullable=True),
        sa.Column("peak_memory_bytes", BIG, nullable=True),
        sa.Column("engine", sa.String(), nullable=True),
        sa.Column("release", sa.String(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column("error_type", sa.String(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("error_stage", sa.String(), nullable=True),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('running', 'accepted', 'failed', 'abandoned', 'forgotten')",
            name="outcome",
        ),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_takes_edition_id"),
        sa.ForeignKeyConstraint(["shot_id"], ["shots.id"], name="fk_takes_shot_id"),
        sa.ForeignKeyConstraint(
            ["tenant", "user"], ["users.tenant", "users.name"], name="fk_takes_tenant_user"
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name="fk_takes_worker_id"),
        sa.PrimaryKeyConstraint("id", name="pk_takes"),
    )
    op.create_index("ix_takes_edition_id_shot_id", "takes", ["edition_id", "shot_id"], unique=False)
    op.create_index("ix_takes_shot_id", "takes", ["shot_id"], unique=False)
    op.create_index("ix_takes_worker_id", "takes", ["worker_id"], unique=False)
    op.create_index(
        "ux_takes_accepted",
        "takes",
        ["shot_id"],
        unique=True,
        sqlite_where=sa.text("outcome = 'accepted'"),
        postgresql_where=sa.text("outcome = 'accepted'"),
    )
    op.create_index(
        "ux_takes_running",
        "takes",
        ["shot_id"],
        unique=True,
        sqlite_where=sa.text("outcome = 'running'"),
        postgresql_where=sa.text("outcome = 'running'"),
    )
    op.create_table(
        "renditions",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("take_id", sa.String(), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size_bytes", BIG, nullable=False),
        sa.Column("codec", sa.String(), nullable=False),
        sa.Column("width", BIG, nullable=False),
        sa.Column("height", BIG, nullable=False),
        sa.Column("fps", sa.Float(precision=53), nullable=False),
        sa.Column("frames", BIG, nullable=False),
        sa.Column("duration_microseconds", BIG, nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["take_id"], ["takes.id"], name="fk_renditions_take_id"),
        sa.PrimaryKeyConstraint("id", name="pk_renditions"),
        sa.UniqueConstraint("take_id", "name", name="uq_renditions_take_id_name"),
    )
    op.create_index("ix_renditions_sha256", "renditions", ["sha256"], unique=False)
    op.create_index("ix_renditions_uri", "renditions", ["uri"], unique=False)
    op.create_table(
        "forgettings",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("take_id", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["take_id"], ["takes.id"], name="fk_forgettings_take_id"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_forgettings_tenant"),
        sa.PrimaryKeyConstraint("id", name="pk_forgettings"),
        sa.UniqueConstraint("take_id", name="uq_forgettings_take_id"),
    )


def _money() -> None:
    op.create_table(
        "spans",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("take_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("microseconds", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["take_id"], ["takes.id"], name="fk_spans_take_id"),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name="fk_spans_worker_id"),
        sa.PrimaryKeyConstraint("id", name="pk_spans"),
    )
    op.create_index("ix_spans_worker_id", "spans", ["worker_id"], unique=False)
    op.create_table(
        "charges",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("worker_id", sa.String(), nullable=False),
        sa.Column("take_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("gpu_microseconds", BIG, nullable=False),
        sa.Column("micro_usd", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["take_id"], ["takes.id"], name="fk_charges_take_id"),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.name"], name="fk_charges_tenant"),
        sa.ForeignKeyConstraint(["worker_id"], ["workers.id"], name="fk_charges_worker_id"),
        sa.PrimaryKeyConstraint("id", name="pk_charges"),
    )
    op.create_index("ix_charges_take_id", "charges", ["take_id"], unique=False)
    op.create_index("ix_charges_worker_id", "charges", ["worker_id"], unique=False)
    op.create_table(
        "quota_entries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("shots", BIG, nullable=False),
        sa.Column("reservation", sa.String(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("kind IN ('reserve', 'settle', 'release')", name="kind"),
        sa.ForeignKeyConstraint(
            ["tenant", "user"], ["users.tenant", "users.name"], name="fk_quota_entries_tenant_user"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quota_entries"),
    )
    op.create_index(
        "ix_quota_entries_tenant_user_day", "quota_entries", ["tenant", "user", "day"], unique=False
    )
    op.create_index(
        "ux_quota_entries_closed",
        "quota_entries",
        ["reservation"],
        unique=True,
        sqlite_where=sa.text("kind <> 'reserve'"),
        postgresql_where=sa.text("kind <> 'reserve'"),
    )
    op.create_index(
        "ux_quota_entries_reserved",
        "quota_entries",
        ["reservation"],
        unique=True,
        sqlite_where=sa.text("kind = 'reserve'"),
        postgresql_where=sa.text("kind = 'reserve'"),
    )


def _refuse_changes() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    for table in APPEND_ONLY:
        refuse_changes(table)
