"""The guard at the engine: every statement passes it, however it was made.

A statement is read once for each form in which the engine compiles and keeps it; each time it
runs, the tenants that it names are compared with the transaction's. That costs microseconds.
"""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.sql.compiler import Compiled, SQLCompiler

from wan_pipelines.errors import LedgerError
from wan_pipelines.ledger.guard.reading import Reading, read
from wan_pipelines.ledger.guard.ties import TENANT
from wan_pipelines.ledger.whose import House, Shared, Whose

WHOSE = "wan_whose"
BEGINNINGS = ("BEGIN", "BEGIN IMMEDIATE")


class TenantMixup(LedgerError):
    """A statement that could have touched what is not its transaction's business."""


def guard(engine: Engine) -> None:
    """From now on no statement of the engine goes beyond what its transaction is about."""
    readings: WeakKeyDictionary[Compiled, Reading] = WeakKeyDictionary()

    @event.listens_for(engine, "before_cursor_execute")
    def check(
        connection: Connection, _cursor: Any, words: str, _values: Any, context: Any, _many: bool
    ) -> None:
        whose: Whose | None = connection.get_execution_options().get(WHOSE)
        if isinstance(whose, House):
            return
        compiled = context.compiled
        if not isinstance(compiled, SQLCompiler):
            if compiled is None and whose is not None and words not in BEGINNINGS:
                raise TenantMixup(f"Raw SQL cannot be read by the guard: {words}")
            return
        reading = readings.get(compiled)
        if reading is None:
            reading = readings[compiled] = _read(compiled)
        if reading.touches:
            _check(reading, whose, context.compiled_parameters, words)


def _read(compiled: SQLCompiler) -> Reading:
    reading = read(compiled.statement)  # pyright: ignore[reportArgumentType]
    names = {parameter.key: name for parameter, name in compiled.bind_names.items()}
    return Reading(
        touches=reading.touches,
        loose=reading.loose,
        named=tuple(names[key] for key in reading.named if key in names),
        writes=reading.writes,
    )


def _check(
    reading: Reading, whose: Whose | None, parameters: list[dict[str, Any]], words: str
) -> None:
    if whose is None or isinstance(whose, Shared):
        raise TenantMixup(
            f"A transaction about no tenant reads or writes what is tenants'. Say whose: {words}"
        )
    if reading.loose:
        raise TenantMixup(
            f"Tenant {whose} is not named for {', '.join(reading.loose)}, so that rows of others "
            f"could be touched. Demand `tenant = {whose}` of them, or join what does: {words}"
        )
    names = (*reading.named, TENANT) if reading.writes else reading.named
    for name in names:
        found = {values[name] for values in parameters if name in values}
        if found - {whose}:
            others = ", ".join(map(repr, sorted(map(str, found - {whose}))))
            raise TenantMixup(f"A transaction of tenant {whose} names tenant {others}: {words}")
