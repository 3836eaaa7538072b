"""The ledger as a database: opening it, and its transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.driver_errors import as_ledger_errors
from wan_pipelines.ledger.engines import (
    POSTGRESQL,
    SQLITE,
    WRITES,
    display_name,
    make_engine,
    parse_url,
)
from wan_pipelines.ledger.guard.hook import WHOSE, guard
from wan_pipelines.ledger.schema import check_or_migrate, downgrade
from wan_pipelines.ledger.whose import Whose, checked


class Ledger:
    """A database that any number of processes and threads use at once.

    Each transaction says whose data it is about, and can touch no other: see `whose` and `guard`.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        """Wrap an engine whose database has the right schema; `name` stands in errors."""
        self.engine = engine
        self.name = name
        self._writer = engine.execution_options(**{WRITES: True})

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        migrate: bool = True,
        wait_seconds: float = 30.0,
        patience_seconds: float = 0.0,
    ) -> Self:
        """Open a ledger, and bring it to this version's schema unless `migrate` is false.

        `wait_seconds` is how long a transaction waits for another process's lock,
        `patience_seconds` how long for a server that is away, now and whenever it goes away
        later. Raises `LedgerError` when the database is locked, unreachable, or newer than this
        version.
        """
        parsed = parse_url(url)
        name = display_name(parsed)
        if parsed.drivername == SQLITE:
            _make_folder(Path(name), create=migrate)
        engine = make_engine(parsed, wait_seconds=wait_seconds, patience_seconds=patience_seconds)
        with as_ledger_errors(name):
            check_or_migrate(engine, name, migrate=migrate)
        guard(engine)
        return cls(engine, name)

    @contextmanager
    def write(self, whose: Whose) -> Iterator[Session]:
        """A transaction that writes: whole, or not at all. On SQLite writers take turns."""
        with as_ledger_errors(self.name), Session(self._writer) as session, session.begin():
            session.connection(execution_options={WHOSE: checked(whose)})
            yield session

    @contextmanager
    def change(self, whose: Whose) -> Iterator[Connection]:
        """As `write`, for statements on tables: what happens for each shot tracks no objects."""
        with as_ledger_errors(self.name), self._writer.begin() as connection:
            yield connection.execution_options(**{WHOSE: checked(whose)})

    @contextmanager
    def read(self, whose: Whose, *, at_once: bool = False) -> Iterator[Session]:
        """A transaction that only reads, and never waits for writers.

        If `at_once`, all that it reads is as of one moment.
        """
        options: dict[str, Any] = {WHOSE: checked(whose)}
        if at_once and self.engine.dialect.name == POSTGRESQL:
            options["isolation_level"] = "REPEATABLE READ"
        with as_ledger_errors(self.name), Session(self.engine) as session, session.begin():
            session.connection(execution_options=options)
            yield session

    @contextmanager
    def look(self, whose: Whose) -> Iterator[Connection]:
        """As `read`, for what is asked for each shot: rows without objects."""
        with as_ledger_errors(self.name), self.engine.begin() as connection:
            yield connection.execution_options(**{WHOSE: checked(whose)})

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def go_back(url: str | Path, revision: str) -> str:
    """Bring a ledger to an earlier schema, whatever schema it has now; its name.

    What only the newer schema held is lost. Raises `LedgerError`; see `schema.downgrade`.
    """
    parsed = parse_url(url)
    name = display_name(parsed)
    if parsed.drivername == SQLITE:
        _make_folder(Path(name), create=False)
    engine = make_engine(parsed, wait_seconds=30.0, patience_seconds=0.0)
    with as_ledger_errors(name):
        downgrade(engine, revision)
    engine.dispose()
    return name


def _make_folder(file: Path, *, create: bool) -> None:
    if not create and not file.exists():
        raise LedgerError(
            f"There is no ledger at {file}. Run a campaign first, or correct its URL."
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(
            f"The folder of the ledger at {file} cannot be made ({error}). Choose a folder that "
            "this user may write."
        ) from error
