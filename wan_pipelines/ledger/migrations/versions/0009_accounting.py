"""Who set a price and why, corrections of charges, idle time of fleets, invoices."""

import sqlalchemy as sa
from alembic import op
from wan_pipelines.ledger.append_only import refuse_changes

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger()
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("corrections", "corrected_charges", "idle_entries", "invoices", "invoice_lines")
QUOTA = 'id, tenant, "user", day, kind, shots, reservation, gpu_microseconds, micro_usd, created_at'


def upgrade() -> None:
    """Prices that are there were set by an environment, and no charge was corrected."""
    op.add_column("prices", sa.Column("decided_by", sa.String(), nullable=True))
    op.add_column("prices", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_workers_started_at", "workers", ["started_at"])
    _corrections()
    _idle()
    _invoices()
    for table in APPEND_ONLY:
        refuse_changes(table)
    _quota_entries("'reserve', 'settle', 'release', 'correct'", "kind IN ('settle', 'release')")


def downgrade() -> None:
    """What was corrected stays corrected; who did it, idle time and invoices are lost."""
    _quota_entries("'reserve', 'settle', 'release'", "kind <> 'reserve'")
    for table in reversed(APPEND_ONLY):
        op.drop_table(table)
    op.drop_index("ix_workers_started_at", "workers")
    op.drop_column("prices", "reason")
    op.drop_column("prices", "decided_by")


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("selection", sa.JSON(), nullable=False),
        sa.Column("micro_usd_per_gpu_hour", BIG, nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
    )
    op.create_table(
        "corrected_charges",
        sa.Column("charge_id", ROW_ID, nullable=False),
        sa.Column("correction_id", ROW_ID, nullable=False),
        sa.Column("reverses", ROW_ID, nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["charges.id"], name="fk_corrected_charges_charge_id"
        ),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name="fk_corrected_charges_correction_id"
        ),
        sa.ForeignKeyConstraint(["reverses"], ["charges.id"], name="fk_corrected_charges_reverses"),
        sa.PrimaryKeyConstraint("charge_id", name="pk_corrected_charges"),
        sa.UniqueConstraint("reverses", name="uq_corrected_charges_reverses"),
    )
    op.create_index("ix_corrected_charges_correction_id", "corrected_charges", ["correction_id"])


def _idle() -> None:
    op.create_table(
        "idle_entries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("fleet", sa.String(), nullable=False),
        sa.Column("starts_at", BIG, nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("gpu_class", sa.String(), nullable=False),
        sa.Column("reserved_gpu_microseconds", BIG, nullable=False),
        sa.Column("reserved_micro_usd", BIG, nullable=False),
        sa.Column("gpu_microseconds", BIG, nullable=False),
        sa.Column("micro_usd", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("kind IN ('idle', 'reversal')", name="kind"),
        sa.PrimaryKeyConstraint("id", name="pk_idle_entries"),
        sa.UniqueConstraint(
            "fleet",
            "starts_at",
            "revision",
            "kind",
            name="uq_idle_entries_fleet_starts_at_revision_kind",
        ),
    )


def _invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("layout", sa.String(), nullable=False),
        sa.Column("lines", BIG, nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invoices"),
        sa.UniqueConstraint("sha256", name="uq_invoices_sha256"),
    )
    op.create_table(
        "invoice_lines",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("invoice_id", ROW_ID, nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("line", BIG, nullable=False),
        sa.Column("starts_at", BIG, nullable=False),
        sa.Column("ends_at", BIG, nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("resource_id", sa.String(), nullable=False),
        sa.Column("resource_type", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("quantity", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("billed_micro_usd", BIG, nullable=False),
        sa.Column("billed_rest", sa.String(), nullable=False),
        sa.Column("effective_micro_usd", BIG, nullable=False),
        sa.Column("effective_rest", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name="fk_invoice_lines_invoice_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_invoice_lines"),
        sa.UniqueConstraint("identity", name="uq_invoice_lines_identity"),
    )
    op.create_index("ix_invoice_lines_invoice_id", "invoice_lines", ["invoice_id"])
    op.create_index("ix_invoice_lines_starts_at", "invoice_lines", ["starts_at"])


def _quota_entries(kinds: str, closes: str) -> None:
    """The same entries, as far as they are of these kinds, in a table that takes these kinds.

    SQLite changes no constraint of a table, so that a new one takes the place of the old one.
    """
    op.drop_index("ux_quota_entries_closed", "quota_entries")
    if op.get_bind().dialect.name == "sqlite":
        _replace_quota_entries(kinds)
    else:
        op.execute("ALTER TABLE quota_entries DISABLE TRIGGER quota_entries_append_only")
        op.execute(f"DELETE FROM quota_entries WHERE kind NOT IN ({kinds})")  # noqa: S608
        op.execute("ALTER TABLE quota_entries ENABLE TRIGGER quota_entries_append_only")
        op.drop_constraint("ck_quota_entries_kind", "quota_entries")
        op.create_check_constraint("kind", "quota_entries", f"kind IN ({kinds})")
    op.create_index(
        "ux_quota_entries_closed",
        "quota_entries",
        ["reservation"],
        unique=True,
        sqlite_where=sa.text(closes),
        postgresql_where=sa.text(closes),
    )


def _replace_quota_entries(kinds: str) -> None:
    indexes = {
        "ix_quota_entries_tenant_user_day": ["tenant", "user", "day"],
        "ix_quota_entries_tenant_day": ["tenant", "day"],
    }
    for name in (*indexes, "ux_quota_entries_reserved"):
        op.drop_index(name, "quota_entries")
    op.rename_table("quota_entries", "quota_entries_before")
    op.create_table(
        "quota_entries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("shots", BIG, nullable=False),
        sa.Column("reservation", sa.String(), nullable=False),
        sa.Column("gpu_microseconds", BIG, server_default="0", nullable=False),
        sa.Column("micro_usd", BIG, server_default="0", nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint(f"kind IN ({kinds})", name="kind"),
        sa.ForeignKeyConstraint(
            ["tenant", "user"], ["users.tenant", "users.name"], name="fk_quota_entries_tenant_user"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_quota_entries"),
    )
    op.execute(
        f"INSERT INTO quota_entries ({QUOTA}) SELECT {QUOTA} FROM quota_entries_before "  # noqa: S608
        f"WHERE kind IN ({kinds}) ORDER BY id"
    )
    op.drop_table("quota_entries_before")
    for name, columns in indexes.items():
        op.create_index(name, "quota_entries", columns)
    op.create_index(
        "ux_quota_entries_reserved",
        "quota_entries",
        ["reservation"],
        unique=True,
        sqlite_where=sa.text("kind = 'reserve'"),
    )
    refuse_changes("quota_entries")
