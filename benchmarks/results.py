"""Figures as tables for people and as JSON for later."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import this_machine
from benchmarks.places import RESULTS

Row = Mapping[str, Any]


def show(title: str, rows: Sequence[Row]) -> None:
    """A table on standard output; its columns are the fields of the first row."""
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    Console(highlight=False).print(table)


def keep(name: str, tables: Mapping[str, Sequence[Row]]) -> None:
    """Write a benchmark's tables to `.wan/benchmarks/<name>.json`, with machine and moment."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": asdict(this_machine()),
        "tables": {title: [dict(row) for row in rows] for title, rows in tables.items()},
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")


def show_and_keep(name: str, tables: Mapping[str, Sequence[Row]]) -> None:
    for title, rows in tables.items():
        show(title, rows)
    keep(name, tables)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
