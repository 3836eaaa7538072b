"""Words about the checkpoint: the scores as tables, the model card, the report in `docs`."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from string import Template

from training.evaluate import Row, Setting
from wan_pipelines.encoding.tiny_world import (
    BACKGROUND_WORDS,
    COLOUR_WORDS,
    MOTION_PHRASES,
    SHAPE_WORDS,
)

TEMPLATES = Path(__file__).parent / "templates"
Tables = dict[str, list[Row]]


def save_scores(rows: list[Row], file: Path) -> None:
    """Write the rows of one table as JSON."""
    file.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def load_scores(file: Path) -> list[Row]:
    """Read what `save_scores` wrote."""
    return [
        Row(**{**row, "setting": _setting(row["setting"])}) for row in json.loads(file.read_text())
    ]


def write_words(template: str, file: Path, tables: Tables, facts: dict[str, str]) -> None:
    """Fill a template of this folder with tables, vocabulary and other facts."""
    filled = Template((TEMPLATES / template).read_text()).substitute(
        facts,
        scores="\n".join(
            f"{table_of(name, rows)}\n" for name, rows in tables.items() if name != "size"
        ),
        size_scores=table_of("size", tables["size"]),
        clips=str(tables["size"][0].clips),
        shapes=_words(SHAPE_WORDS.values()),
        colours=_words(COLOUR_WORDS.values()),
        backgrounds=_words(BACKGROUND_WORDS.values()),
        motions=_words(MOTION_PHRASES.values()),
    )
    file.write_text(filled)


def table_of(name: str, rows: list[Row]) -> str:
    """A Markdown table with one row for each value of what was varied."""
    lines = [
        f"| {name} | colour | background | motion | shape | all four |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        shares = (row.colour, row.background, row.motion, row.shape, row.everything)
        cells = " | ".join(f"{share:.3f}" for share in shares)
        lines.append(f"| {_varied(name, row.setting)} | {cells} |")
    return "\n".join(lines)


def _varied(name: str, setting: Setting) -> str:
    if name == "size":
        height, width = setting.size
        return f"{width} x {height}"
    return str(getattr(setting, name.replace(" ", "_")))


def _setting(fields: dict) -> Setting:
    return Setting(**{**fields, "size": tuple(fields["size"])})


def _words(groups: Iterable[tuple[str, ...]]) -> str:
    return "; ".join(" / ".join(group) for group in groups)
