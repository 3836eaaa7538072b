"""Tables that somebody else wrote: read as text, refused by line."""

from decimal import Decimal
from pathlib import Path

import pytest

from wan_pipelines.csv_tables import TableRow, exact_decimal, read_table
from wan_pipelines.errors import InputError


def rows(tmp_path: Path, content: str | bytes, max_bytes: int = 1000) -> list[TableRow]:
    file = tmp_path / "table.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_table(file, max_bytes).parsed(lambda row: row))


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n",
        "\ufeffa,b\r\n1,2\r\n",
        "a;b\n1;2",
        "a\tb\n 1 \t2\n\n",
        '"a","b"\n"1","2"\n,\n',
    ],
)
def test_usual_dialects_are_read_alike(tmp_path: Path, content: str):
    assert rows(tmp_path, content) == [TableRow(2, {"a": "1", "b": "2"})]


def test_cells_may_hold_anything_as_text(tmp_path: Path):
    found = rows(tmp_path, 'a,b\n"=1+1, ""x""\nand more",@cmd\n-2,+3\n')
    assert [row.cells["a"] for row in found] == ['=1+1, "x"\nand more', "-2"]
    assert [row.line for row in found] == [2, 4]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n1,2,3\n", "table.csv:2: .* 3 cells, the header has 2"),
        (b"a,b\n1,2\n3\n", "table.csv:3: .* 1 cells, the header has 2"),
        (b'a,b\n"1,2\n', "table.csv:2: .*not CSV"),
        (b'a,b\n"1"x,2\n', "table.csv:2: .*not CSV"),
        (b"a,b\n1,\x00\n", "table.csv:2: .*NUL"),
        (b"a,b\n1,\xff\n", "table.csv:2: .*not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8"),
        (b"a,a\n1,2\n", "'a' stands there twice"),
        (b"", "It is empty"),
        (b"a,b\n" + b"1,2\n" * 300, "larger than 1,000 bytes"),
    ],
)
def test_what_is_broken_is_named_by_its_line(tmp_path: Path, content: bytes, told: str):
    with pytest.raises(InputError, match=told):
        rows(tmp_path, content)


def test_a_cell_that_is_longer_than_any_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match=r"table.csv:2: .*larger than field limit"):
        rows(tmp_path, "a,b\n1," + "x" * 200_000, max_bytes=10**6)


def test_a_line_that_is_no_header_is_refused_at_once(tmp_path: Path):
    with pytest.raises(InputError, match=r"table.csv:1: .*300,001 cells"):
        rows(tmp_path, "," * 300_000, max_bytes=10**6)


def test_more_rows_than_may_be_are_refused(tmp_path: Path):
    file = tmp_path / "table.csv"
    file.write_text("a\n1\n2\n3\n")
    assert len(read_table(file, 100).parsed(str, most=3)) == 3
    with pytest.raises(InputError, match=r"table.csv:4: It has more than 2 rows"):
        read_table(file, 100).parsed(str, most=2)


def test_the_digest_is_that_of_the_text(tmp_path: Path):
    plain, marked = tmp_path / "plain.csv", tmp_path / "marked.csv"
    plain.write_text("a,b\n1,2\n")
    marked.write_text("\ufeffa,b\n1,2\n")
    assert read_table(plain, 100).sha256 == read_table(marked, 100).sha256


def test_numbers_are_exact_or_refused():
    assert exact_decimal("-1234.5600000001") == Decimal("-1234.5600000001")
    assert exact_decimal("1e-7") == Decimal("0.0000001")
    for words in ("1,5", "1_000", "NaN", "inf", "=1+1", "", "1e999999", "٣", "0x10", "9" * 99):
        with pytest.raises(ValueError, match="is no number"):
            exact_decimal(words)
