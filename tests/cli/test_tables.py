from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from wan_pipelines.cli.tables import Column, print_table, shown_text

ADDRESS = f"file:///srv/store/tenants/demo/videos/ab/{'a' * 64}/{'b' * 32}/h264.mp4"
COLUMNS = (
    Column("campaign", "Campaign"),
    Column("shot", "Shot"),
    Column("gpu_seconds", "GPU-s", numeric=True),
    Column("cost_usd", "USD", numeric=True),
    Column("uri", "File", beneath=True),
)
RECORD = {
    "campaign": "demo",
    "shot": "a-red-ball-moving-left-to-right-on-a-black-background--landscape--s1",
    "gpu_seconds": 12.3456,
    "cost_usd": Decimal("0.000382"),
    "uri": ADDRESS,
}


def printed(*records: dict[str, object], width: int | None = None) -> list[str]:
    """The lines on a terminal of that width, or in a pipe."""
    file = StringIO()
    if width is None:
        console = Console(file=file, width=1_000_000)
    else:
        console = Console(file=file, width=width, force_terminal=True, color_system=None)
    print_table(console, records, COLUMNS)
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_rows_fit_the_terminal_and_addresses_stay_in_one_piece(width: int):
    lines = printed(RECORD, RECORD, width=width)
    addresses = [line for line in lines if ADDRESS in line]
    assert addresses == [f"  {ADDRESS}"] * 2
    assert all(cell_len(line) <= width for line in lines if line not in addresses)


def test_long_text_is_folded_and_figures_are_not():
    lines = printed(RECORD, width=60)
    text = "".join(line[10:].split("  ")[0].strip() for line in lines[1:-1])
    assert text == RECORD["shot"]
    assert "12.3  0.000382" in lines[1]


def test_a_pipe_gets_each_record_on_one_line_with_nothing_cut():
    heading, *rows = printed(RECORD, RECORD)
    assert heading.split() == ["Campaign", "Shot", "GPU-s", "USD", "File"]
    assert [row.split() for row in rows] == [
        ["demo", RECORD["shot"], "12.3", "0.000382", ADDRESS],
    ] * 2


def test_columns_stand_under_their_headings():
    heading, short, long = printed({**RECORD, "shot": "short"}, RECORD)
    for name in ("Shot", "File"):
        place = heading.index(name)
        assert {short[place - 1], long[place - 1]} == {" "}
        assert short[place] != " "


def test_letters_that_are_two_wide_keep_columns_straight():
    heading, wide = printed({**RECORD, "campaign": "映画"}, width=120)[:2]
    assert cell_len(wide[: wide.index("a-red")]) == heading.index("Shot")


def test_what_there_is_not_is_a_dash_and_has_no_line_beneath():
    lines = printed({**RECORD, "gpu_seconds": None, "uri": ""}, width=120)
    assert len(lines) == 2
    assert "–" in lines[1]


def test_words_of_strangers_cannot_steer_the_terminal_or_our_markup():
    lines = printed(
        {**RECORD, "campaign": "[red]\x1b[31m\x9b2J\x07", "uri": ":smile:\r\nx"}, width=120
    )
    text = "\n".join(lines)
    assert not {"\x1b", "\x9b", "\x07", "\r"} & set(text)
    assert "[red]" in text
    assert ":smile:" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (None, "–"),
        (datetime(2026, 11, 1, 3, 5, 59, tzinfo=UTC), "2026-11-01 03:05"),
        (1.0, "1.0"),
        ("two\nlines", "two lines"),
        ("👩‍🚀", "👩‍🚀"),
    ],
)
def test_values_are_told_in_words_of_people(value: object, text: str):
    assert shown_text(value) == text
