"""Headers are read without their tensors, and are not believed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from wan_pipelines.errors import WeightsError
from wan_pipelines.weights.headers import (
    HEADER_LIMIT_BYTES,
    TensorHeader,
    count_numbers,
    read_header,
)

GOOD = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def write(path: Path, header: Any, payload: int = 24, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    path.write_bytes(size.to_bytes(8, "little") + text + b"\0" * payload)
    return path


def test_it_tells_what_the_library_wrote(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    save_file({"a": np.zeros((2, 3), np.float16), "b": np.zeros(5, np.float32)}, file)
    assert set(read_header(file)) == {
        TensorHeader("a", "F16", (2, 3)),
        TensorHeader("b", "F32", (5,)),
    }
    assert sum(tensor.size_bytes for tensor in read_header(file)) == 12 + 20
    assert count_numbers([file, file]) == 22


def test_tensors_are_not_read(tmp_path: Path) -> None:
    """A file of a terabyte, all of it a hole, is answered at once."""
    huge = {"dtype": "F32", "shape": [2**38], "data_offsets": [0, 2**40]}
    file = write(tmp_path / "huge.safetensors", {"a": huge}, payload=0)
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size + 2**40)
    assert count_numbers([file]) == 2**38


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"not json at all", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        ([1, 2], "no list of tensors"),
        ({"a": 5}, "lacks type"),
        ({"a": {**GOOD, "shape": [2, -3]}}, "unknown type or shape"),
        ({"a": {**GOOD, "shape": [2, 3.0]}}, "unknown type or shape"),
        ({"a": {**GOOD, "shape": [1] * 20}}, "unknown type or shape"),
        ({"a": {**GOOD, "dtype": "F7"}}, "unknown type or shape"),
        ({"a": {**GOOD, "shape": [2, 2**60]}}, "does not lie"),
        ({"a": {**GOOD, "data_offsets": [0, 25]}}, "does not lie"),
        ({"a": {**GOOD, "data_offsets": [1, 25]}}, "does not lie"),
        ({"a": {**GOOD, "data_offsets": [-24, 0]}}, "does not lie"),
        ({"a": GOOD, "b": GOOD}, "'b' does not begin where the one before ends"),
        ({"a": {**GOOD, "shape": [3], "data_offsets": [12, 24]}}, "'a' does not begin"),
        ({"a": {**GOOD, "shape": [3], "data_offsets": [0, 12]}}, "12 bytes at its end"),
    ],
)
def test_a_header_that_does_not_add_up_is_refused(tmp_path: Path, header: Any, words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        read_header(write(tmp_path / "bad.safetensors", header))


@pytest.mark.parametrize("length", [HEADER_LIMIT_BYTES + 1, 2**63, 1000])
def test_a_length_is_bounded_before_anything_is_read(tmp_path: Path, length: int) -> None:
    with pytest.raises(WeightsError, match=f"would be {length} bytes long"):
        read_header(write(tmp_path / "bad.safetensors", {"a": GOOD}, length=length))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.safetensors"
    file.touch()
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        read_header(file)


def test_the_longest_number_is_no_way_in(tmp_path: Path) -> None:
    digits = b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 24]}}'
    with pytest.raises(WeightsError):
        read_header(write(tmp_path / "bad.safetensors", digits))
