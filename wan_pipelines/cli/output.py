"""How commands speak: tables for people, JSON with stable names for scripts."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from wan_pipelines.cli.tables import Column, print_table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON with stable field names.")]


UNBOUNDED = 1_000_000


def console() -> Console:
    """Standard output; lines are as long as they are where it goes into a pipe or a file.

    What is printed is text: brackets in it are no markup.
    """
    width = None if sys.stdout.isatty() else UNBOUNDED
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def note(message: str, style: str = "") -> None:
    """Progress and other remarks, on standard error so that output stays clean for pipes."""
    _errors().print(Text(message, style), soft_wrap=True)


def complain(message: str) -> None:
    """A problem, on standard error."""
    _errors().print(Text.assemble(("Error: ", "bold red"), message), soft_wrap=True)


def emit(
    records: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, as_json: bool, empty: str
) -> None:
    """A listing, as JSON or as a table; `empty` is said when there is nothing to list."""
    if as_json:
        print_json(list(records))
    elif records:
        print_table(console(), records, columns)
    else:
        note(empty)


def print_json(value: Any) -> None:
    """JSON on standard output; amounts of money are numbers with all their digits."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def examples(*lines: str) -> str:
    """The last part of a command's help."""
    return "\n\n".join(("Examples:", *lines))


def _errors() -> Console:
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)  # prints the same digits: micro-dollars have fewer than a float holds
    raise TypeError(f"{type(value).__name__} is no JSON value")
