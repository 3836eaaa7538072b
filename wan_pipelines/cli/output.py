"""How commands speak: tables for people, JSON with stable names for scripts."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON with stable field names.")]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the record's field, its heading, and where the text stands."""

    field: str
    heading: str
    numeric: bool = False


PIPE_WIDTH = 240


def console() -> Console:
    """Standard output; nothing is cut off where it goes into a pipe or a file."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(file=sys.stdout, highlight=False, width=width)


def complain(message: str) -> None:
    """A problem, on standard error, in one piece."""
    Console(stderr=True, highlight=False).print(Text.assemble(("Error: ", "bold red"), message))


def note(message: str) -> None:
    """Progress and other remarks, on standard error so that output stays clean for pipes."""
    Console(stderr=True, highlight=False).print(Text(message))


def emit(
    records: Sequence[Mapping[str, Any]], columns: Iterable[Column], *, as_json: bool, empty: str
) -> None:
    """A listing, as JSON or as a table; `empty` is said when there is nothing to list."""
    if as_json:
        print_json(list(records))
    elif records:
        console().print(_table(records, tuple(columns)))
    else:
        note(empty)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _table(records: Sequence[Mapping[str, Any]], columns: tuple[Column, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.heading, justify="right" if column.numeric else "left")
    for record in records:
        table.add_row(*(Text(_shown(record[column.field])) for column in columns))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")
