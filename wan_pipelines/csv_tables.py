"""Tables that somebody else wrote: CSV with a header, bounded, every bad line named.

Cells are text and stay text: what a spreadsheet would take for a formula is none here.
"""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.text_files import read_utf8
from wan_pipelines.validation import shown

DELIMITERS = ",;\t"
MOST_TOLD = 5
MOST_COLUMNS = 1000
MOST_ROWS = 250_000
"""What is made of them is kept in one transaction, for which others may have to wait."""
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TableRow:
    """Cells by the names of their columns, without blanks around them; `line` is their first."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A file with a header; `sha256` is that of its text, with or without a byte order mark."""

    path: Path
    sha256: str
    header: tuple[str, ...]
    _text: str

    def require(self, columns: Collection[str]) -> None:
        """InputError for columns that are not there."""
        missing = [column for column in columns if column not in self.header]
        if missing:
            raise InputError(
                f"The column {missing[0]!r} is missing.",
                where=f"{self.path}:1",
                remedy=did_you_mean(missing[0], self.header),
            )

    def parsed(self, parse: Callable[[TableRow], T], most: int = MOST_ROWS) -> tuple[T, ...]:
        """Every row as `parse` reads it, which says in a ValueError what is wrong with one.

        InputError names all lines that are wrong, the first few with the reason, and a file of more
        than `most` rows.
        """
        found: list[T] = []
        problems: list[str] = []
        for number, row in enumerate(self._rows()):
            if number >= most:
                raise InputError(
                    f"It has more than {most:,} rows.",
                    where=f"{self.path}:{row.line}",
                    remedy="Split it into several.",
                )
            try:
                found.append(parse(row))
            except ValueError as error:
                problems.append(f"line {row.line}: {error}")
        if problems:
            more = len(problems) - MOST_TOLD
            told = "; ".join(problems[:MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")
            raise InputError(
                f"{len(problems)} of its rows cannot be read: {told}.",
                where=str(self.path),
                remedy="Correct them; nothing of the file was taken.",
            )
        return tuple(found)

    def _rows(self) -> Iterator[TableRow]:
        reader = _reader(self._text)
        line = 1
        try:
            for number, cells in enumerate(reader):
                if number and any(map(str.strip, cells)):
                    yield TableRow(line, self._named(cells, line))
                line = reader.line_num + 1
        except csv.Error as error:
            raise _no_csv(self.path, line, str(error)) from error

    def _named(self, cells: list[str], line: int) -> dict[str, str]:
        if len(cells) != len(self.header):
            problem = f"the row has {len(cells)} cells, the header has {len(self.header)}"
            raise _no_csv(self.path, line, problem)
        return dict(zip(self.header, map(str.strip, cells), strict=True))


def read_table(path: Path, max_bytes: int) -> CsvTable:
    """A table in UTF-8 whose cells are parted by commas, semicolons or tabs."""
    text = read_utf8(path, max_bytes)
    if "\x00" in text:
        raise _no_csv(path, text.count("\n", 0, text.index("\x00")) + 1, "it contains a NUL")
    try:
        header = tuple(map(str.strip, next(_reader(text), [])))
    except csv.Error as error:
        raise _no_csv(path, 1, str(error)) from error
    if len(header) > MOST_COLUMNS:
        raise _no_csv(path, 1, f"its first line has {len(header):,} cells")
    twice = {column for column in header if header.count(column) > 1}
    if not header or twice:
        problem = f"The column {min(twice)!r} stands there twice." if twice else "It is empty."
        raise InputError(problem, where=f"{path}:1", remedy="Begin it with one line of names.")
    return CsvTable(path, sha256(text.encode()).hexdigest(), header, text)


def exact_decimal(words: str) -> Decimal:
    """The number that is written there, digit by digit; a ValueError says what is none."""
    if not _NUMBER.fullmatch(words):
        raise ValueError(f"{shown(words)} is no number: write it such as 1234.56")
    return Decimal(words)


def _reader(text: str) -> "csv._reader":  # pyright: ignore[reportAttributeAccessIssue]
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    return csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)


def _no_csv(path: Path, line: int, problem: str) -> InputError:
    return InputError(
        f"This is not CSV: {problem}.",
        where=f"{path}:{line}",
        remedy="Put cells with commas, quotes or line breaks in quotes, and double the quotes.",
    )
