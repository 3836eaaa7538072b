"""Tables that are only added to, as migrations make them: the database refuses everything else."""

from alembic import op

from wan_pipelines.ledger.engines import SQLITE


def refuse_changes(table: str) -> None:
    """Let the database itself refuse every UPDATE and DELETE of a table.

    On PostgreSQL by the function `refuse_change`, which the first migration makes.
    """
    if op.get_bind().dialect.name == SQLITE:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
