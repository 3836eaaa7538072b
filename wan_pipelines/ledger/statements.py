"""Small pieces of SQL that several modules need."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Executable, Select, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from wan_pipelines.ledger.engines import POSTGRESQL

CHUNK = 500  # bound parameters a statement may carry stay far below SQLite's 32,766

T = TypeVar("T")

Transaction = Connection | Session
"""What statements run in: one that tracks objects, or a much lighter one that does not."""


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Consecutive pieces of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def table(row: type[DeclarativeBase]) -> Table:
    """The Core table of an ORM class: bulk statements need no objects."""
    return cast("Table", row.__table__)


def insert_missing(
    session: Session, row: type[DeclarativeBase], values: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows, leaving those alone whose unique key exists already."""
    if values:
        session.execute(_insert_missing(_is_postgresql(session), row), list(values))


def upsert(
    session: Session, row: type[DeclarativeBase], key: tuple[str, ...], values: Mapping[str, Any]
) -> None:
    """Insert a row, or make the one of that key say the same; the time of its creation stays."""
    changing = tuple(name for name in values if name not in key and name != "created_at")
    session.execute(_upsert(_is_postgresql(session), row, key, changing), values)


# Built once: to build a statement takes longer than to run it.
@cache
def _insert_missing(on_postgresql: bool, row: type[DeclarativeBase]) -> Executable:
    return _insert(on_postgresql)(table(row)).on_conflict_do_nothing()


@cache
def _upsert(
    on_postgresql: bool,
    row: type[DeclarativeBase],
    key: tuple[str, ...],
    changing: tuple[str, ...],
) -> Executable:
    statement = _insert(on_postgresql)(table(row))
    changed = {name: statement.excluded[name] for name in changing}
    return statement.on_conflict_do_update(index_elements=key, set_=changed)


def _insert(on_postgresql: bool) -> Callable[[Table], postgresql.Insert | sqlite.Insert]:
    """The database's own INSERT, which knows what to do about rows that are there already."""
    return postgresql.insert if on_postgresql else sqlite.insert


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == POSTGRESQL


def lock_rows(transaction: Transaction, query: Select[Any], values: Mapping[str, Any]) -> None:
    """Lock what a `FOR UPDATE` query finds, for the rest of a transaction that writes.

    On SQLite such a transaction holds the only lock there is from its beginning.
    """
    bind = transaction.get_bind() if isinstance(transaction, Session) else transaction
    if bind.dialect.name == POSTGRESQL:
        transaction.execute(query, values)


def go_alone(session: Session, key: int) -> None:
    """Let nobody else do what `key` stands for until the transaction ends.

    On SQLite a transaction that writes is alone from its beginning.
    """
    if _is_postgresql(session):
        session.execute(select(func.pg_advisory_xact_lock(key)))


def storable(words: str, longest: int = 4000) -> str:
    """Text from outside as every database keeps it: no NUL, no lone surrogates, bounded."""
    clean = words.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    clean = clean.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"
