"""What a safetensors file holds, from its header alone: no tensor is read.

A header is untrusted: eight bytes say its length, which is bounded before anything is read; then
JSON names every tensor with type, shape and place. What does not add up is refused.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from wan_pipelines.errors import WeightsError

HEADER_LIMIT_BYTES = 16 * 1024**2
LENGTH_BYTES = 8
MOST_TENSORS = 100_000
MOST_DIMENSIONS = 16
BITS: Mapping[str, int] = {
    "F64": 64,
    "I64": 64,
    "U64": 64,
    "F32": 32,
    "I32": 32,
    "U32": 32,
    "F16": 16,
    "BF16": 16,
    "I16": 16,
    "U16": 16,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "I8": 8,
    "U8": 8,
    "BOOL": 8,
}


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """A tensor as its file describes it."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def numbers(self) -> int:
        return prod(self.shape)

    @property
    def size_bytes(self) -> int:
        return self.numbers * BITS[self.dtype] // 8


@dataclass(frozen=True, slots=True)
class PlacedTensor:
    """A tensor, and where its numbers lie in its file: from byte `begin` to before `end`."""

    header: TensorHeader
    begin: int
    end: int


def read_header(path: Path) -> tuple[TensorHeader, ...]:
    """The tensors of a file; WeightsError for a header that is damaged, absurd or too long."""
    return tuple(tensor.header for tensor in read_places(path))


def read_places(path: Path) -> tuple[PlacedTensor, ...]:
    """As `read_header`, with their places."""
    text, size = _header_text(path)
    try:
        described = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"its header is no JSON ({type(error).__name__})") from error
    if not isinstance(described, dict) or len(described) > MOST_TENSORS:
        raise _refused(path, "its header is no list of tensors")
    start = LENGTH_BYTES + len(text)
    placed = tuple(
        _tensor(path, name, entry, start, size)
        for name, entry in described.items()
        if name != "__metadata__"
    )
    _check_order(path, placed, start, size)
    return placed


def header_sha256(path: Path) -> str:
    """sha256 hex of a file's header: names, types and shapes of its tensors, and their places."""
    text, _ = _header_text(path)
    return hashlib.sha256(text).hexdigest()


def count_numbers(paths: Iterable[Path]) -> int:
    """Numbers in all tensors of some files, whatever their types."""
    return sum(tensor.numbers for path in paths for tensor in read_header(path))


def _header_text(path: Path) -> tuple[bytes, int]:
    """The JSON of a header, and the size of its file."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or length > min(HEADER_LIMIT_BYTES, size - LENGTH_BYTES):
            raise _refused(path, f"its header would be {length} bytes long")
        return stream.read(length), size


def _tensor(path: Path, name: str, entry: Any, start: int, size: int) -> PlacedTensor:
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            pass
        case _:
            raise _refused(path, f"tensor {name[:80]!r} lacks type, shape or place")
    dimensions = all(isinstance(side, int) and side >= 0 for side in shape)
    if dtype not in BITS or not dimensions or len(shape) > MOST_DIMENSIONS:
        raise _refused(path, f"tensor {name[:80]!r} has an unknown type or shape")
    tensor = TensorHeader(name, dtype, tuple(shape))
    if not 0 <= begin <= end <= size - start or end - begin != tensor.size_bytes:
        raise _refused(path, f"tensor {name[:80]!r} does not lie where it says")
    return PlacedTensor(tensor, start + begin, start + end)


def _check_order(path: Path, placed: Iterable[PlacedTensor], start: int, size: int) -> None:
    """Tensors fill a file one after the other, as the format says: no bytes of two, or of none."""
    end = start
    for tensor in sorted(placed, key=lambda each: (each.begin, each.end)):
        if tensor.begin != end:
            name = tensor.header.name[:80]
            raise _refused(path, f"tensor {name!r} does not begin where the one before ends")
        end = tensor.end
    if end != size:
        raise _refused(path, f"{size - end} bytes at its end belong to no tensor")


def _refused(path: Path, why: str) -> WeightsError:
    return WeightsError(f"{path} is not a whole safetensors file: {why}. Fetch it again.")
