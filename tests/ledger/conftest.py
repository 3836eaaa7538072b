"""Every test that asks for `ledger` runs on SQLite and on PostgreSQL, each time without rows."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer, postgres_server
from wan_pipelines.ledger.database import Ledger

__all__ = ["postgres_server"]

DATABASES = ("sqlite", "postgresql")
Empty = Callable[[], None]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "ledger.db"
    Ledger.open(file).close()
    return file


@pytest.fixture(scope="session")
def sqlite_ledger(migrated_file: Path) -> Iterator[tuple[Ledger, Empty]]:
    """A ledger that stays open, because SQLAlchemy compiles statements once per engine."""
    file = migrated_file.with_name("shared.db")
    shutil.copy(migrated_file, file)

    def empty() -> None:
        ledger.close()
        for rest in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                file.with_name(file.name + rest).unlink()
        shutil.copy(migrated_file, file)

    with Ledger.open(f"sqlite:///{file}") as ledger:
        yield ledger, empty


@pytest.fixture(scope="session")
def postgresql_ledger(postgres_server: PostgresServer) -> Iterator[tuple[Ledger, Empty]]:
    """The same on PostgreSQL."""
    url = postgres_server.new_database()

    def empty() -> None:
        ledger.close()
        postgres_server.empty(url)

    with Ledger.open(url) as ledger:
        yield ledger, empty


@pytest.fixture(params=DATABASES)
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A ledger without rows."""
    ledger, empty = request.getfixturevalue(f"{request.param}_ledger")
    empty()
    yield ledger
    ledger.close()


@pytest.fixture
def url(ledger: Ledger) -> str:
    """Where the ledger is, for other processes."""
    return ledger.engine.url.render_as_string(hide_password=False)


@pytest.fixture(params=DATABASES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.new_database()
    yield url
    server.drop_database(url)
