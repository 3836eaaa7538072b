"""Brings a database to the schema this version of the package knows, whoever else tries it too."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.engines import POSTGRESQL, SQLITE, WRITES
from wan_pipelines.ledger.guard.hook import WHOSE
from wan_pipelines.ledger.whose import House

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0015"
MIGRATIONS = Path(__file__).with_name("migrations")
ADVISORY_LOCK = 0x57414E4C  # "WANL"


def check_or_migrate(engine: Engine, name: str, *, migrate: bool) -> None:
    """Leave the database at `HEAD`, or say why that cannot be."""
    with engine.connect() as connection:
        found = revision(connection)
    if found == HEAD:
        return
    if not migrate:
        _refuse_unknown(found, name)
        raise LedgerError(
            f"The ledger at {name} has schema {found or 'none'}, this version of wan-pipelines "
            f"needs {HEAD}. Open it once with migration (any `wan` command that writes does that)."
        )
    upgrade(engine, name)


def upgrade(engine: Engine, name: str) -> None:
    """Migrate to `HEAD` in one transaction; processes that come meanwhile wait for it."""

    def steps(config: "Config", connection: Connection) -> None:
        from alembic import command

        found = revision(connection)
        if found != HEAD:
            _refuse_unknown(found, name)
            command.upgrade(config, HEAD)

    _in_one_transaction(engine, steps)


def downgrade(engine: Engine, target: str) -> None:
    """Go back to an earlier revision, or to `base`. What only the newer schema held is lost.

    Nothing happens where it is there already. LedgerError names the revisions that there are, or
    the earlier one that the database has.
    """
    known = sorted(_revisions())
    if target not in ("base", *known):
        raise LedgerError(f"There is no schema {target}. There are {', '.join(known)}.")

    def steps(config: "Config", connection: Connection) -> None:
        from alembic import command

        found = revision(connection) or "base"
        if target != "base" and (found == "base" or found < target):
            raise LedgerError(
                f"The ledger has schema {found}, which is older than {target}: there is nothing to "
                "go back from. `wan migrate` brings it to this version's."
            )
        if found != target:
            command.downgrade(config, target)

    _in_one_transaction(engine, steps)


def revision(connection: Connection) -> str | None:
    """The revision a database says it has; none when it is new."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _in_one_transaction(engine: Engine, steps: "Callable[[Config, Connection], None]") -> None:
    from alembic.config import Config

    if engine.dialect.name == SQLITE:
        _use_write_ahead_log(engine)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    options = {WRITES: True, WHOSE: House("migration")}
    with engine.execution_options(**options).begin() as connection:
        if engine.dialect.name == POSTGRESQL:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        config.attributes["connection"] = connection
        steps(config, connection)


def _use_write_ahead_log(engine: Engine) -> None:
    """The mode is kept in the file, so that it is set once, before the first table.

    SQLite does not wait by itself where two processes set it at once, since each would wait for
    the other (https://www.sqlite.org/c3ref/busy_handler.html).
    """
    from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout")
        ((patience_ms,),) = cursor.fetchall()
        patiently = Retrying(
            retry=retry_if_exception(_is_busy),
            wait=wait_random(0.01, 0.1),
            stop=stop_after_delay(patience_ms / 1000),
            reraise=True,
        )
        patiently(cursor.execute, "PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _is_busy(error: BaseException) -> bool:
    code = error.sqlite_errorcode if isinstance(error, sqlite3.OperationalError) else 0
    return code & 0xFF == sqlite3.SQLITE_BUSY


def _revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def _refuse_unknown(found: str | None, name: str) -> None:
    if found is not None and found not in _revisions():
        raise LedgerError(
            f"The ledger at {name} was written by a newer version of wan-pipelines: it has schema "
            f"{found}, this version knows schemas up to {HEAD}. Upgrade wan-pipelines."
        )
