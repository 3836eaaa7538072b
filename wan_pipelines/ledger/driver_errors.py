"""Turns what a database driver says into errors a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.outages import ConnectionBroke

REMEDIES = (
    (
        ("database is locked", "database table is locked", "lock timeout"),
        "is locked by another process. Wait until that process is done, or end it (`lsof` and "
        "`fuser` name who holds a file, `pg_stat_activity` who holds a table), then try again.",
    ),
    (
        ("unable to open database file", "readonly database", "permission denied"),
        "cannot be opened for writing. Check that this user may write the file and its folder, "
        "or the tables of the database.",
    ),
    (
        ("disk is full", "no space left"),
        "cannot grow because the disk is full. Free some space; nothing was lost, what was "
        "not committed is done again.",
    ),
    (
        ("disk i/o error",),
        "cannot be read or written (disk I/O error). Check the disk, and that the file does not "
        "lie on a network share: SQLite's WAL needs a local one.",
    ),
    (
        ("file is not a database", "malformed", "file is encrypted"),
        "is not a whole SQLite database. Restore it from a backup, or move it away to start a "
        "new one.",
    ),
    (
        ("password authentication failed", "no password supplied"),
        "refused the user or password. Correct them in the ledger's URL.",
    ),
    (
        ("too many clients", "remaining connection slots", "too many connections"),
        "has no connection left for anybody. Raise `max_connections` of the server, or run fewer "
        "workers: each process has at most three.",
    ),
    (
        ("append-only", "constraint failed", "violates"),
        "refused a change that would break its rules, and kept everything as it was. That is a "
        "mistake in wan-pipelines: please report it.",
    ),
    (
        ("does not exist", "no such table"),
        "lacks what is needed: the database, the user or a table does not exist. Create the "
        "database and user first, then open the ledger with migration.",
    ),
    (
        (
            "could not connect",
            "connection to server",
            "connection refused",
            "could not translate host name",
            "server closed the connection",
            "terminating connection",
            "timeout expired",
            "the database system is",
            "could not receive data",
            "ssl syscall",
        ),
        "is not reachable. Check that the database server runs and that host and port in the "
        "ledger's URL are right.",
    ),
)
OTHER = "answered with an error that is not expected; the details below say more."


@contextmanager
def as_ledger_errors(name: str) -> Iterator[None]:
    """Raise driver errors as `LedgerError`s that name the ledger and a remedy.

    It is `ConnectionBroke` where nothing can have been committed: a statement failed, not the
    commit, which is none.
    """
    try:
        yield
    except PoolTimeout as error:
        raise LedgerError(
            f"The ledger at {name} has no connection left within the time limit. End idle "
            "processes that use it, or open it with a longer wait."
        ) from error
    except DBAPIError as error:
        broke = error.connection_invalidated and error.statement is not None
        kind = ConnectionBroke if broke else LedgerError
        raise kind(f"The ledger at {name} {_remedy(error)} ({_said(error)})") from error


def _remedy(error: SQLAlchemyError) -> str:
    said = _said(error).lower()
    return next((remedy for marks, remedy in REMEDIES if any(m in said for m in marks)), OTHER)


def _said(error: SQLAlchemyError) -> str:
    origin = getattr(error, "orig", None) or error
    return " ".join(str(origin).split())
