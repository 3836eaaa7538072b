"""Tables that fit a terminal, and tables that go into a pipe."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

GAP = 2
INDENT = "  "
NARROWEST = 10
NOTHING = "–"
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), "\N{REPLACEMENT CHARACTER}")
_HARMLESS = {**_CONTROLS, **dict.fromkeys(map(ord, "\t\n\r"), " ")}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the record's field, its heading, and where the text stands.

    What is long, such as an address, stands `beneath` its row on a terminal, in one piece that can
    be copied; in a pipe it is a column like the others.
    """

    field: str
    heading: str
    numeric: bool = False
    beneath: bool = False


Record = Mapping[str, Any]


def print_table(console: Console, records: Sequence[Record], columns: Sequence[Column]) -> None:
    """Print records as wide as the terminal; if it is none, each on a line of its own."""
    width = console.width if console.is_terminal else None
    console.print(listing(records, columns, width), crop=False)


def listing(records: Sequence[Record], columns: Sequence[Column], width: int | None) -> Group:
    """Records as rows, wrapped so that they fit into `width` columns of text, if given."""
    beneath = [column for column in columns if column.beneath and width is not None]
    shown = [column for column in columns if column not in beneath]
    widths = _natural_widths(records, shown)
    if width is not None:
        widths = _fitted(widths, shown, width)
    headings = {column.field: column.heading for column in columns}
    rows: list[RenderableType] = [_row(headings, shown, widths, style="bold")]
    for record in records:
        rows.append(_row(record, shown, widths))
        rows.extend(_lines_beneath(record, beneath))
    return Group(*rows)


def shown_text(value: Any) -> str:
    """A value in words of people; control characters do not reach their terminal."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value).translate(_HARMLESS)


def _row(
    record: Record, columns: Sequence[Column], widths: Sequence[int], style: str = ""
) -> RenderableType:
    row = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        justify = "right" if column.numeric else "left"
        row.add_column(width=width, justify=justify, overflow="fold")
    row.add_row(*(Text(shown_text(record[column.field]), style) for column in columns))
    return row


def _lines_beneath(record: Record, columns: Sequence[Column]) -> Iterator[Text]:
    for column in columns:
        value = shown_text(record[column.field])
        if value != NOTHING:
            yield Text(INDENT + value, "dim", no_wrap=True, overflow="ignore")


def _natural_widths(records: Sequence[Record], columns: Sequence[Column]) -> list[int]:
    return [
        max(map(cell_len, [column.heading, *(shown_text(each[column.field]) for each in records)]))
        for column in columns
    ]


def _fitted(widths: Sequence[int], columns: Sequence[Column], width: int) -> list[int]:
    """Widths that fit, at the cost of the widest columns of text; figures are never broken."""
    fitted = list(widths)
    room = width - GAP * (len(widths) - 1)
    texts = [place for place, column in enumerate(columns) if not column.numeric]
    while sum(fitted) > room and texts:
        widest = max(texts, key=lambda place: fitted[place])
        if fitted[widest] <= NARROWEST:
            break
        fitted[widest] -= 1
    return fitted
