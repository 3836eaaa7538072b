from pathlib import Path

import pytest

from wan_pipelines.errors import InputError
from wan_pipelines.text_files import read_utf8


def test_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"\xef\xbb\xbfprompt\n")
    assert read_utf8(file, 100) == "prompt\n"


def test_other_encodings_are_named_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("prompt\nein gr\u00fcner Ball\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"a\.csv:2: Byte 0xfc is not UTF-8\. Save the file as"):
        read_utf8(file, 100)


def test_size_is_bounded_and_the_bound_itself_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("x" * 100)
    assert len(read_utf8(file, 100)) == 100
    file.write_text("x" * 101)
    with pytest.raises(InputError, match="larger than 100 bytes"):
        read_utf8(file, 100)


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_only_regular_files_are_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="There is no such file"):
        read_utf8(tmp_path / name, 100)
