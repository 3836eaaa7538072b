"""Prompts from a CSV or JSONL file in the folder of the brief.

CSV: UTF-8, commas, a header with the columns of `COLUMNS` and any number of `variables.<name>`;
an empty cell means "as in the brief"; seeds and shapes are separated by spaces. JSONL: one prompt
a line, either text or an object with the fields that a prompt has in the brief. Rows are counted
from 1, the header included, as a spreadsheet shows them.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wan_pipelines.campaigns.prompts import Prompt, as_prompt
from wan_pipelines.campaigns.whereabouts import PlacedPrompt, Whereabouts
from wan_pipelines.errors import InputError
from wan_pipelines.hints import did_you_mean
from wan_pipelines.text_files import read_utf8
from wan_pipelines.validation import shown, validated

MAX_BYTES = 16 * 2**20
COLUMNS = ("prompt", "name", "negative_prompt", "seeds", "shapes")
VARIABLE_PREFIX = "variables."

Rows = Iterator[tuple[int, Any]]


def read_prompts(file: str, brief: Whereabouts) -> tuple[PlacedPrompt, ...]:
    """The prompts of the file that the brief names, in the order of its rows."""
    path = _inside(file, brief)
    rows = _csv_rows if path.suffix == ".csv" else _json_rows
    prompts = tuple(
        PlacedPrompt(_prompt(path, row, value), brief.of_row(file, row))
        for row, value in rows(path, read_utf8(path, MAX_BYTES))
    )
    if not prompts:
        raise InputError("There are no prompts in it.", where=str(path), remedy="Add some.")
    return prompts


def _inside(file: str, brief: Whereabouts) -> Path:
    """The file's path, if it really lies in the folder of the brief."""
    path = brief.folder / file
    if not path.is_file():
        beside = [e.name for e in brief.folder.glob(f"*{path.suffix}") if e.is_file()]
        raise brief.error(
            ("prompts_file",), f"is {file!r}: there is no such file.", did_you_mean(file, beside)
        )
    if not path.resolve().is_relative_to(brief.folder.resolve()):
        raise brief.error(
            ("prompts_file",),
            f"is {file!r}, which leads out of the campaign's folder.",
            "Put the file itself into the folder.",
        )
    return path


def _prompt(path: Path, row: int, value: Any) -> Prompt:
    return validated(Prompt, as_prompt(value), lambda _: f"{path}, row {row}")


def _csv_rows(path: Path, text: str) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    row = 0
    header: list[str] | None = None
    try:
        for row, cells in enumerate(reader, start=1):
            if header is None:
                header = _checked_header(path, cells)
            elif any(map(str.strip, cells)):
                yield row, _fields(f"{path}, row {row}", header, cells)
    except csv.Error as error:
        raise InputError(
            f"This is not CSV: {error}.",
            where=f"{path}, row {row + 1}",
            remedy="Put cells with commas, quotes or line breaks in quotes, and double the quotes.",
        ) from error


def _checked_header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    where = f"{path}, row 1"
    for column in header:
        if column not in COLUMNS and not column.startswith(VARIABLE_PREFIX):
            raise InputError(
                f"There is no column {shown(column)}.",
                where=where,
                remedy=f"{did_you_mean(column, (*COLUMNS, f'{VARIABLE_PREFIX}<name>'))} "
                "Columns are separated by commas.",
            )
        if header.count(column) > 1:
            raise InputError(
                f"The column {column!r} stands there twice.", where=where, remedy="Remove one."
            )
    if "prompt" not in header:
        raise InputError("The column 'prompt' is missing.", where=where, remedy="Add it.")
    return header


def _fields(where: str, header: list[str], cells: list[str]) -> dict[str, Any]:
    """A row as the fields of a prompt."""
    if len(cells) > len(header):
        raise InputError(
            f"The row has {len(cells)} cells, the header has {len(header)}.",
            where=where,
            remedy="Put cells that contain commas in quotes.",
        )
    stripped = zip(header, map(str.strip, cells), strict=False)
    given = {column: cell for column, cell in stripped if cell}
    fields: dict[str, Any] = {"prompt": given.pop("prompt", "")}
    for column, cell in given.items():
        if column.startswith(VARIABLE_PREFIX):
            fields.setdefault("variables", {})[column.removeprefix(VARIABLE_PREFIX)] = cell
        elif column == "seeds":
            fields[column] = [int(seed) if _is_number(seed) else seed for seed in cell.split()]
        else:
            fields[column] = cell.split() if column == "shapes" else cell
    return fields


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 20


def _json_rows(path: Path, text: str) -> Rows:
    for row, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield row, json.loads(line, object_pairs_hook=_without_repeats)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"This is not JSON: {error}.",
                where=f"{path}, row {row}",
                remedy="Write one prompt a line: text in quotes, or an object.",
            ) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key is written twice")
    return record
