"""SQLAlchemy engines set up for a ledger: SQLite with a write-ahead log, PostgreSQL with a pool."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.outages import connect_patiently

WRITES = "wan_writes"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
POSTGRESQL_DRIVER = "postgresql+psycopg2"
KEPT_CONNECTIONS, MOST_CONNECTIONS = 1, 3
"""Of a process: what it keeps between transactions, and what it may have at any moment. A worker
has three threads that write: it renders, it encodes, it gives signs of life."""

SQLITE_CACHE_KIB = 16 * 1024
"""Of each connection, and of each sort. SQLite's own 2 MiB hold no day of a large ledger, so that
pages are read again and again; what is kept comes out of the few hundred MiB that a pod has."""


def parse_url(url: str | Path) -> URL:
    """The URL of a ledger: a path or `sqlite:///...`, or `postgresql+psycopg2://...`.

    The driver is always spelt out: SQLAlchemy's default for PostgreSQL differs by version.
    """
    if isinstance(url, Path) or "://" not in url:
        return URL.create(SQLITE, database=str(Path(url).expanduser().resolve()))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise LedgerError(
            f"The ledger's URL cannot be read ({error}). Write a path, sqlite:////path/to/file "
            "or postgresql+psycopg2://user:password@host/database."
        ) from error
    if parsed.drivername in (SQLITE, "sqlite+pysqlite") and parsed.database not in (
        None,
        ":memory:",
    ):
        return parsed.set(drivername=SQLITE)
    if parsed.drivername in ("postgres", POSTGRESQL, POSTGRESQL_DRIVER):
        return parsed.set(drivername=POSTGRESQL_DRIVER)
    raise LedgerError(
        f"A ledger cannot live at {parsed.render_as_string(hide_password=True)}: processes share "
        "it. Write a path, sqlite:////path/to/file or "
        "postgresql+psycopg2://user:password@host/database."
    )


def display_name(url: URL) -> str:
    """What errors call the ledger: the file, or the URL without its password."""
    if url.drivername == SQLITE:
        return str(url.database)
    shown = {name: "***" for name in url.query if "password" in name}
    return url.update_query_dict(shown).render_as_string(hide_password=True)


def make_engine(url: URL, *, wait_seconds: float, patience_seconds: float) -> Engine:
    """An engine that waits up to `wait_seconds` for another process's lock, and for its own
    connections, and up to `patience_seconds` for a server that does not answer.
    """
    if url.drivername == SQLITE:
        return _sqlite(url, wait_seconds)
    engine = create_engine(
        url,
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MOST_CONNECTIONS - KEPT_CONNECTIONS,
        pool_timeout=wait_seconds,
        pool_pre_ping=True,
        executemany_mode="values_plus_batch",
        connect_args={
            "connect_timeout": 10,
            "application_name": "wan-pipelines",
            "options": f"-c lock_timeout={int(wait_seconds * 1000)} -c timezone=UTC",
        },
    )
    connect_patiently(engine, display_name(url), patience_seconds)
    return engine


def _sqlite(url: URL, wait_seconds: float) -> Engine:
    engine = create_engine(url, connect_args={"timeout": wait_seconds}, pool_timeout=wait_seconds)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where `begin` says, not by guess
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
