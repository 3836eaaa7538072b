"""Copies of a ledger to keep elsewhere, taken while it is in use, and the way back.

SQLite copies itself into one file; PostgreSQL's own `pg_dump` and `pg_restore` do the same for a
database of a server. A backup has the schema of the moment it was made: whoever opens the restored
ledger migrates it, as every older one.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import inspect

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.driver_errors import as_ledger_errors
from wan_pipelines.ledger.engines import SQLITE, display_name, make_engine, parse_url
from wan_pipelines.ledger.postgres_dumps import dump, load
from wan_pipelines.storage.atomic import atomic_write

NO_BACKUP = "is no whole backup of a ledger"


def back_up(ledger: str | Path, target: Path) -> None:
    """Write what is committed at this moment to the new file `target`, for its owner's eyes only.

    The file appears whole or not at all. Raises `LedgerError`, also when `target` exists.
    """
    url = parse_url(ledger)
    try:
        with atomic_write(target, replace=False) as file:
            os.fchmod(file.fileno(), 0o600)
            if url.drivername == SQLITE:
                _copy_to(file, Path(display_name(url)))
            else:
                dump(url, file)
    except FileExistsError as error:
        raise LedgerError(f"There is a {target} already: name another file.") from error
    except OSError as error:
        raise LedgerError(f"The backup {target} cannot be written: {error.strerror}.") from error


def restore(ledger: str | Path, backup: Path, *, replace: bool) -> None:
    """Make the ledger what it was when `backup` was made; nobody may use it meanwhile.

    A ledger that holds anything stays as it is unless `replace`, and in any case when the backup
    cannot be read. Raises `LedgerError`.
    """
    url = parse_url(ledger)
    name = display_name(url)
    if not backup.is_file():
        raise LedgerError(f"There is no backup {backup}.")
    if not replace and _is_in_use(ledger):
        raise LedgerError(f"The ledger at {name} is not empty. Say --replace if it may go.")
    if url.drivername == SQLITE:
        _copy_back(backup, Path(name))
    else:
        load(url, backup)


def _is_in_use(ledger: str | Path) -> bool:
    url = parse_url(ledger)
    if url.drivername == SQLITE and not Path(display_name(url)).exists():
        return False
    engine = make_engine(url, wait_seconds=10, patience_seconds=0)
    with as_ledger_errors(display_name(url)):
        tables = inspect(engine).get_table_names()
    engine.dispose()
    return bool(tables)


def _copy_to(file: BinaryIO, ledger: Path) -> None:
    if not ledger.exists():
        raise LedgerError(f"There is no ledger at {ledger}.")
    with _opened(ledger) as source, closing(sqlite3.connect(file.name)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it


def _copy_back(backup: Path, ledger: Path) -> None:
    try:
        with _opened(backup) as source:
            (said,) = source.execute("PRAGMA integrity_check").fetchone()
            source.execute("SELECT version_num FROM alembic_version")
            if said != "ok":
                raise LedgerError(f"{backup} {NO_BACKUP}: {said}.")
            ledger.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(ledger)) as target:
                source.backup(target)
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{backup} {NO_BACKUP}, or {ledger} is in use ({error}).") from error


def _opened(file: Path) -> "closing[sqlite3.Connection]":
    """For reading only: a name that does not exist makes no new database."""
    return closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True))
